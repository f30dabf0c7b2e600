import type { CommandInput } from '#src/protocol/commands.js';
import { PROTOCOL_VERSION } from '#src/protocol/version.js';
import type { Welcome } from '#src/protocol/welcome.js';

import type { Status } from './chat-events.js';
import { CommandError } from './command-error.js';
import { ConnectionError } from './connection-error.js';
import type { OpenLink } from './link.js';
import type { ReconnectDelay } from './reconnect-delay.js';
import { Session, type SessionEnd } from './session.js';
import type { TokenKeeper } from './token-keeper.js';
import { verdictOf } from './verdict.js';

/** After a session that lasted this long, the delays start from the shortest again. */
const GOOD_SESSION_MS = 10_000;
/** Time that the other side has to complete a close. */
const CLOSE_MS = 2_000;
/** The first close code of the protocol (P-4.5). */
const FIRST_OWN_CODE = 4_000;
/** Errors of hello that another token may avoid (P-2.7). */
const TOKEN_ERRORS: readonly string[] = ['token_invalid', 'token_expired'];
/** Errors of hello that are followed by `bye`, which says when to reconnect (P-2.8, P-5.15). */
const FOLLOWED_BY_BYE: readonly string[] = ['too_many_connections', 'unavailable'];

interface StopExtras {
  readonly closeCode?: number;
  readonly cause?: unknown;
}

/** The callbacks of a {@link SessionKeeper}. */
export interface SessionKeeperHost {
  /** Returns the fields of hello other than version, token and heartbeat. */
  hello(): Pick<CommandInput<'hello'>, 'name' | 'client' | 'resume' | 'bot'>;
  /** A session has begun; called before any later frame is read. */
  welcomed(session: Session, welcome: Welcome): void;
  event(name: string, data: unknown): void;
  status(status: Status): void;
  /** The token source of the app has thrown. */
  failed(error: unknown): void;
}

/** The parts that a {@link SessionKeeper} connects with. */
export interface SessionKeeperParts {
  readonly openLink: OpenLink;
  readonly tokens: TokenKeeper;
  readonly delays: ReconnectDelay;
  readonly connectTimeoutMs: number;
}

/** Keeps a session open: connects, sends hello, and reconnects as the server asks (P-4.5). */
export class SessionKeeper {
  private session: Session | null = null;
  /** Why the client has stopped; null while it has not. */
  private stoppedBy: ConnectionError | null = null;
  private welcomedAt: number | null = null;
  /** The refusal of the latest hello, if a `bye` follows it. */
  private refusal: ConnectionError | undefined;
  private deadline: ReturnType<typeof setTimeout> | undefined;
  private endPause: () => void = () => undefined;

  constructor(
    private readonly tools: SessionKeeperParts,
    private readonly host: SessionKeeperHost,
  ) {}

  /** Connects and reconnects until {@link close}, or until the server tells the client to stop. */
  async run(): Promise<void> {
    while (this.stoppedBy === null) {
      const end = await this.attempt();
      const delayMs = this.decide(end);
      if (delayMs === null) break;
      const pause = this.pause(delayMs);
      this.host.status({ name: 'waiting', ...closeOf(end), delayMs });
      await pause;
    }
    const error = this.stoppedBy?.code === 'closed' ? null : this.stoppedBy;
    this.host.status({ name: 'closed', ...(error === null ? {} : { error }) });
  }

  /** Ends a pause before the next attempt. */
  reconnectNow(): void {
    this.endPause();
  }

  /** Ends the session for good; resolves when the connection has ended. */
  async close(): Promise<void> {
    this.stoppedBy ??= new ConnectionError('closed', 'The client was closed.');
    this.reconnectNow();
    const { session } = this;
    if (session === null) return;
    session.close();
    const timer = setTimeout(
      () => session.abort('The server did not complete the close.'),
      CLOSE_MS,
    );
    await session.whenEnded;
    clearTimeout(timer);
  }

  private async attempt(): Promise<SessionEnd> {
    this.host.status({ name: 'connecting' });
    const session = new Session((name, data) => this.host.event(name, data));
    this.session = session;
    this.welcomedAt = null;
    this.refusal = undefined;
    void this.openSession(session);
    const end = await session.whenEnded;
    clearTimeout(this.deadline);
    this.session = null;
    return this.hasWelcome() ? end : withReason(end, this.refusal);
  }

  private hasWelcome(): boolean {
    return this.welcomedAt !== null;
  }

  private async openSession(session: Session): Promise<void> {
    const token = await this.findToken(session);
    if (!session.isUsable) return;
    this.deadline = setTimeout(() => this.handleTimeout(session), this.tools.connectTimeoutMs);
    try {
      await session.connect(this.tools.openLink);
    } catch (cause) {
      const message = `The transport is not available: ${(cause as Error).message}`;
      this.stop('stopped', message, { cause });
      session.abort(message);
    }
    if (await session.whenOpened) await this.sayHello(session, token, true);
  }

  private handleTimeout(session: Session): void {
    const time = `within ${String(this.tools.connectTimeoutMs / 1_000)} s`;
    const silent = `The connection opened, but no welcome arrived ${time}: the other side is not a Parlance server, or a proxy holds its frames back. Check url and the proxy.`;
    const closed = `The connection did not open ${time}. Check url and the network, and that no firewall drops packets.`;
    const { isOpened } = session;
    const message = isOpened ? silent : closed;
    const error = new ConnectionError(isOpened ? 'no_welcome' : 'unreachable', message);
    session.abort(message, { error });
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
      if (TOKEN_ERRORS.includes(error.code) && this.tools.tokens.replace(isFirst)) {
        const other = await this.findToken(session);
        if (session.isUsable) await this.sayHello(session, other, false);
      } else {
        this.refused(session, error);
      }
    }
  }

  /** Returns the token for hello; if the app throws, ends the session, which is tried again later. */
  private async findToken(session: Session): Promise<string | undefined> {
    try {
      return await this.tools.tokens.current();
    } catch (error) {
      this.host.failed(error);
      const message = 'The app provided no token; the client tries again later.';
      session.abort(message, {
        error: new ConnectionError('no_welcome', message, { cause: error }),
      });
      return undefined;
    }
  }

  private refused(session: Session, error: CommandError): void {
    const { message, retryAfterMs: delayMs } = error;
    const refusal = new ConnectionError('no_welcome', `The server refused hello: ${message}`, {
      cause: error,
    });
    if (FOLLOWED_BY_BYE.includes(error.code)) {
      this.refusal = refusal;
      return;
    }
    if (TOKEN_ERRORS.includes(error.code)) this.stopForToken(message, { cause: error });
    else if (!error.retryable) {
      this.stop('stopped', `The server refused hello: ${message}`, { cause: error });
    }
    session.abort(message, { delayMs, error: refusal });
  }

  private welcomed(session: Session, welcome: Welcome): void {
    clearTimeout(this.deadline);
    this.welcomedAt = performance.now();
    session.welcomed(welcome);
    if (welcome.token !== undefined) this.tools.tokens.keep(welcome.token, welcome.expiresAt);
    this.host.welcomed(session, welcome);
  }

  /** Returns the milliseconds after which to reconnect; null for never. */
  private decide({ code, reason, delayMs }: SessionEnd): number | null {
    if (this.stoppedBy !== null) return null;
    const verdict = verdictOf(code);
    if (verdict === 'never') {
      this.stop('stopped', `The server told the client not to reconnect: ${reason}`, {
        closeCode: code,
      });
      return null;
    }
    if (verdict === 'new credentials' && !this.tools.tokens.replace(true)) {
      this.stopForToken(reason, { closeCode: code });
      return null;
    }
    const lastedMs = this.welcomedAt === null ? 0 : performance.now() - this.welcomedAt;
    if (lastedMs > GOOD_SESSION_MS) this.tools.delays.reset();
    const ownDelayMs = this.tools.delays.next(verdict);
    return delayMs ?? ownDelayMs;
  }

  private stopForToken(reason: string, extras: StopExtras): void {
    const advice =
      "Provide another token, or set refusedToken: 'new-guest' to connect as a new guest.";
    this.stop('token_refused', `The server refused the token: ${reason} ${advice}`, extras);
  }

  private stop(code: 'stopped' | 'token_refused', message: string, extras: StopExtras): void {
    this.stoppedBy ??= new ConnectionError(code, message, extras);
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

/** Adds the reason to the end of a connection on which no welcome came, unless its code says it. */
function withReason(end: SessionEnd, refusal: ConnectionError | undefined): SessionEnd {
  if (end.error !== undefined) return end;
  if (refusal !== undefined) return { ...end, error: refusal };
  if (end.code >= FIRST_OWN_CODE) return end;
  const why = end.reason === '' ? '' : `: ${end.reason}`;
  const message = `The connection was closed (${String(end.code)}${why}) before a welcome arrived. Check that url is the address of a Parlance server, and the log of the proxy, if there is one.`;
  return { ...end, error: new ConnectionError('no_welcome', message) };
}

function closeOf({ code, reason, error }: SessionEnd) {
  return { code, reason, ...(error === undefined ? {} : { error }) };
}
