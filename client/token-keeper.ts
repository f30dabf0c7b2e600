/**
 * Returns a token, or undefined to connect as a new guest (P-2.7).
 *
 * The client calls it before each hello for which it has no token: before the first one, and after
 * a token was refused. If it throws, the client tries again later.
 */
export type TokenSource = () => string | undefined | Promise<string | undefined>;

/** Receives a token that the server issued, and its expiry in milliseconds since 1970. */
export type TokenListener = (token: string, expiresAt: number) => void;

/** The action when a token is refused and there is no other. */
export type OnRefusedToken = 'stop' | 'new-guest';

/** The server announces the expiry of a token this long before (P-2.9). */
const NOTICE_MS = 60_000;

/** Keeps the token for the next hello. */
export class TokenKeeper {
  private token: string | undefined;
  private readonly source: TokenSource | undefined;
  private needsSource: boolean;
  private issuedAt = -Infinity;

  constructor(
    given: string | TokenSource | undefined,
    private readonly onToken: TokenListener,
    private readonly onRefused: OnRefusedToken = 'stop',
  ) {
    if (typeof given === 'string') this.token = given;
    else this.source = given;
    this.needsSource = this.source !== undefined;
  }

  /** Returns the token; undefined for a new guest. Rejects with the exception of the source. */
  async current(): Promise<string | undefined> {
    if (this.needsSource) {
      this.token = await this.source?.();
      // The next attempt to connect asks again, unless this one brings a token.
      this.needsSource = this.token === undefined;
    }
    return this.token;
  }

  /** Stores a token that the server issued. */
  keep(token: string, expiresAt: number): void {
    this.token = token;
    this.needsSource = false;
    this.issuedAt = performance.now();
    this.onToken(token, expiresAt);
  }

  /**
   * Returns the milliseconds after which to refresh a token that expires in `inMs`, usually 0.
   *
   * A token whose lifetime is shorter than the notice would be announced again at once; the client
   * uses half of its time instead.
   */
  refreshDelay(inMs: number): number {
    return performance.now() - this.issuedAt < NOTICE_MS ? inMs / 2 : 0;
  }

  /**
   * Drops a token that was refused; with `mayAsk`, the source may provide another one.
   *
   * Returns false if hello cannot be sent again.
   */
  replace(mayAsk: boolean): boolean {
    const hadToken = this.token !== undefined;
    this.token = undefined;
    this.needsSource = mayAsk && this.source !== undefined;
    return this.needsSource || (hadToken && this.onRefused === 'new-guest');
  }
}
