import type { CommandInput } from '#src/protocol/commands.js';
import { PROTOCOL_VERSION } from '#src/protocol/version.js';
import type { Welcome } from '#src/protocol/welcome.js';

import type { Status } from './chat-events.js';
import { CommandError } from './command-error.js';
import { ConnectionError } from './connection-error.js';
import type { OpenLink } from './link.js';
import type { ReturnDelay } from './return-delay.js';
import { Session, type SessionEnd } from './session.js';
import type { TokenKeeper } from './token-keeper.js';
import { verdictOf } from './verdict.js';

/** A session that lasted this long was a good one: the delays begin anew. */
const GOOD_SESSION_MS = 10_000;
/** How long the other side has to agree to a close. */
const CLOSE_MS = 2_000;
/** Errors of hello about the token: with another one it may be said again (P-2.7). */
const ABOUT_TOKEN: readonly string[] = ['token_invalid', 'token_expired'];
/** Errors of hello that `bye` follows, which says when to come back (P-2.8, P-5.15). */
const BEFORE_BYE: readonly string[] = ['too_many_connections', 'unavailable'];

/** What a {@link SessionKeeper} asks and tells. */
export interface KeeperHost {
  /** Gives what hello says beside version, token and heartbeat. */
  hello(): Pick<CommandInput<'hello'>, 'name' | 'client' | 'resume' | 'bot'>;
  /** There is a session; called before any later frame is read. */
  welcomed(session: Session, welcome: Welcome): void;
  event(name: string, data: unknown): void;
  status(status: Status): void;
  /** The app could not give a token. */
  failed(error: unknown): void;
}

/** How a {@link SessionKeeper} connects. */
export interface KeeperTools {
  readonly openLink: OpenLink;
  readonly tokens: TokenKeeper;
  readonly delays: ReturnDelay;
  readonly connectTimeoutMs: number;
}

/** Keeps a session open: connects, says hello, and comes back as the server asks (P-4.5). */
export class SessionKeeper {
  private session: Session | null = null;
  /** Why the client has stopped; null while it has not. */
  private stoppedBy: ConnectionError | null = null;
  private welcomedAt: number | null = null;
  private deadline: ReturnType<typeof setTimeout> | undefined;
  private endPause: () => void = () => undefined;

  constructor(
    private readonly tools: KeeperTools,
    private readonly host: KeeperHost,
  ) {}

  /** Connects and comes back until {@link close}, or until the server says no. */
  async run(): Promise<void> {
    while (this.stoppedBy === null) {
      const end = await this.attempt();
      const delayMs = this.decide(end);
      if (delayMs === null) break;
      const pause = this.pause(delayMs);
      this.host.status({ name: 'waiting', code: end.code, reason: end.reason, delayMs });
      await pause;
    }
    const error = this.stoppedBy?.code === 'closed' ? null : this.stoppedBy;
    this.host.status({ name: 'closed', ...(error === null ? {} : { error }) });
  }

  /** Ends a pause before coming back. */
  hurry(): void {
    this.endPause();
  }

  /** Ends the session, and keeps none any more; resolves when the connection is gone. */
  async close(): Promise<void> {
    this.stoppedBy ??= new ConnectionError('closed', 'The client was closed.');
    this.hurry();
    const { session } = this;
    if (session === null) return;
    session.close();
    const timer = setTimeout(() => session.abort('The server did not agree to close.'), CLOSE_MS);
    await session.whenEnded;
    clearTimeout(timer);
  }

  private async attempt(): Promise<SessionEnd> {
    this.host.status({ name: 'connecting' });
    const session = new Session((name, data) => this.host.event(name, data));
    this.session = session;
    this.welcomedAt = null;
    void this.greet(session);
    const end = await session.whenEnded;
    clearTimeout(this.deadline);
    this.session = null;
    return end;
  }

  private async greet(session: Session): Promise<void> {
    const token = await this.findToken(session);
    if (!session.isUsable) return;
    const late = () => session.abort('No welcome came in time.');
    this.deadline = setTimeout(late, this.tools.connectTimeoutMs);
    try {
      await session.connect(this.tools.openLink);
    } catch (cause) {
      this.stop('The transport cannot be had.', { cause });
      session.abort('The transport cannot be had.');
    }
    if (await session.whenOpened) await this.sayHello(session, token, true);
  }

  private async sayHello(
    session: Session,
    token: string | undefined,
    isFirst: boolean,
  ): Promise<void> {
    const hello: CommandInput<'hello'> = {
      protocol: PROTOCOL_VERSION,
      heartbeat: 'frames',
      ...this.host.hello(),
      ...(token === undefined ? {} : { token }),
    };
    try {
      await session.request('hello', hello, (data) => this.welcomed(session, data as Welcome));
    } catch (error) {
      if (!(error instanceof CommandError)) return;
      if (isFirst && ABOUT_TOKEN.includes(error.code) && this.tools.tokens.drop()) {
        const other = await this.findToken(session);
        if (session.isUsable) await this.sayHello(session, other, false);
      } else {
        this.refused(session, error);
      }
    }
  }

  /** Gives the token for a hello; if the app fails to, the session ends, to be tried again. */
  private async findToken(session: Session): Promise<string | undefined> {
    try {
      return await this.tools.tokens.current();
    } catch (error) {
      this.host.failed(error);
      session.abort('The app gave no token.');
      return undefined;
    }
  }

  private refused(session: Session, error: CommandError): void {
    if (BEFORE_BYE.includes(error.code)) return;
    if (!error.retryable) this.stop(`hello was refused: ${error.message}`, { cause: error });
    session.abort(error.message, error.retryAfterMs);
  }

  private welcomed(session: Session, welcome: Welcome): void {
    clearTimeout(this.deadline);
    this.welcomedAt = performance.now();
    session.welcomed(welcome);
    if (welcome.token !== undefined) this.tools.tokens.keep(welcome.token, welcome.expiresAt);
    this.host.welcomed(session, welcome);
  }

  /** Gives the milliseconds after which to come back; null for never. */
  private decide({ code, reason, delayMs }: SessionEnd): number | null {
    if (this.stoppedBy !== null) return null;
    const verdict = verdictOf(code);
    if (verdict === 'never') {
      this.stop(reason, { closeCode: code });
      return null;
    }
    if (verdict === 'new credentials' && !this.tools.tokens.drop()) {
      this.stop(`New credentials are needed: ${reason}`, { closeCode: code });
      return null;
    }
    const lastedMs = this.welcomedAt === null ? 0 : performance.now() - this.welcomedAt;
    if (lastedMs > GOOD_SESSION_MS) this.tools.delays.reset();
    const ownDelayMs = this.tools.delays.next(verdict);
    return delayMs ?? ownDelayMs;
  }

  private stop(message: string, extras: { closeCode?: number; cause?: unknown }): void {
    this.stoppedBy ??= new ConnectionError('stopped', message, extras);
  }

  private async pause(ms: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    await new Promise<void>((resolve) => {
      timer = setTimeout(resolve, ms);
      this.endPause = resolve;
    });
    clearTimeout(timer);
  }
}
