/**
 * Gives a token, or undefined to come as a new guest (P-2.7).
 *
 * It is called before the first hello, and whenever the token in hand was refused or has expired.
 * If it throws, the client tries again later.
 */
export type TokenSource = () => string | undefined | Promise<string | undefined>;

/** Takes a token that the server issued, and when it expires: milliseconds since 1970. */
export type TokenListener = (token: string, expiresAt: number) => void;

/** The server tells so long before that a token expires (P-2.9). */
const NOTICE_MS = 60_000;

/** Keeps the token that the next hello says. */
export class TokenKeeper {
  private token: string | undefined;
  private readonly source: TokenSource | undefined;
  private needsSource: boolean;
  private issuedAt = -Infinity;

  constructor(
    given: string | TokenSource | undefined,
    private readonly onToken: TokenListener,
  ) {
    if (typeof given === 'string') this.token = given;
    else this.source = given;
    this.needsSource = this.source !== undefined;
  }

  /** Gives the token; undefined for a new guest. Rejects with what the source throws. */
  async current(): Promise<string | undefined> {
    if (this.needsSource) {
      this.token = await this.source?.();
      this.needsSource = false;
    }
    return this.token;
  }

  /** Takes a token that the server issued. */
  keep(token: string, expiresAt: number): void {
    this.token = token;
    this.needsSource = false;
    this.issuedAt = performance.now();
    this.onToken(token, expiresAt);
  }

  /**
   * Gives the milliseconds after which to refresh a token that expires in `inMs`: at once.
   *
   * One that was good for less than the notice would be announced again and again; then half of
   * its time is used.
   */
  refreshDelay(inMs: number): number {
    return performance.now() - this.issuedAt < NOTICE_MS ? inMs / 2 : 0;
  }

  /** Forgets a token that is worth nothing; false if nobody can give another. */
  drop(): boolean {
    this.token = undefined;
    this.needsSource = this.source !== undefined;
    return this.needsSource;
  }
}
