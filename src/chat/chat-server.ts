import { Inject, Injectable, Logger, type BeforeApplicationShutdown } from '@nestjs/common';

import { CONFIG, type Config } from '../config/config.js';
import { CloseCode } from '../protocol/close-codes.js';
import { ProtocolError } from '../protocol/errors.js';
import { UsersService } from '../users/users.service.js';
import { Call } from './call.js';
import { Connection, type ConnectionServer } from './connection.js';
import { DialectPort } from './dialect-port.js';
import { Dispatcher } from './dispatcher.js';
import { OpenConnections } from './open-connections.js';
import { PresentUsers } from './present-users.js';
import { returnDelay } from './return-delay.js';
import { RoomHub } from './room-hub.js';
import { TokenBucket, type BucketRate } from './token-bucket.js';
import type { Handshake, IncomingCommand, Link, Place, Sink } from './transport.js';

const DRAIN_MS = 15_000;
/** Time for what was pushed to reach clients that read slowly, or that poll. */
const CLOSE_MS = 5_000;
const ABUSE_FACTOR = 10;
const WAITING_MAX = 256;

/** Takes connections from the transports and serves their commands (P-2, P-3). */
@Injectable()
export class ChatServer implements BeforeApplicationShutdown, ConnectionServer {
  private readonly logger = new Logger('Connections');
  private readonly commandRate: BucketRate;
  private draining = false;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(Dispatcher) private readonly dispatcher: Dispatcher,
    @Inject(OpenConnections) private readonly connections: OpenConnections,
    @Inject(PresentUsers) private readonly present: PresentUsers,
    @Inject(UsersService) private readonly users: UsersService,
    @Inject(RoomHub) private readonly hub: RoomHub,
    @Inject(DialectPort) private readonly dialects: DialectPort,
  ) {
    const { commandsPerSecond: perSecond, commandsBurst: burst } = config.limits;
    this.commandRate = { perSecond, burst };
  }

  /** Tells whether the server is about to stop. */
  isDraining(): boolean {
    return this.draining;
  }

  /** Counts what is not a connection yet; null if it is one of too many (P-9.11). */
  reserve(address: string): Place | null {
    return this.connections.reserve(address);
  }

  /** Takes a connection; undefined when it was told why not and closed (P-2.1). */
  accept(link: Link, handshake: Handshake): Sink | undefined {
    const { plug } = this.dialects;
    if (handshake.isSilent !== true || plug === null) return this.open(link, handshake);
    return plug.accept(link, {
      open: (wrapped) => this.open(wrapped, handshake),
      charge: (connection) => this.charge(connection),
    });
  }

  private open(link: Link, handshake: Handshake): Connection | undefined {
    const bucket = new TokenBucket(this.commandRate);
    const { backlogBytes } = this.config.limits;
    const connection = new Connection(link, handshake, bucket, backlogBytes, this);
    if (handshake.refusal !== undefined) {
      connection.bye(handshake.refusal.code as CloseCode, handshake.refusal.reason);
      return undefined;
    }
    if (this.draining) {
      connection.bye(CloseCode.goingAway, 'the server is stopping', returnDelay());
      return undefined;
    }
    if (!this.connections.add(connection)) {
      connection.bye(CloseCode.tooManyConnections, 'too many connections from this address');
      return undefined;
    }
    this.logger.debug({ msg: 'opened', connection: link.id });
    if (handshake.misplacedToken === true) refuseTokenInUrl(connection);
    else if (handshake.hello !== undefined) this.greetBy(connection, handshake.hello);
    return connection;
  }

  run(call: Call): Promise<void> {
    return this.dispatcher.run(call);
  }

  isWrite(name: string): boolean {
    return this.dispatcher.isWrite(name);
  }

  /** Resolves when a connection has read enough for one more reply (P-9.12). */
  untilRead(connection: Connection): Promise<void> | undefined {
    return this.connections.untilRead(connection);
  }

  /** Reads on where reading was stopped. */
  answered(connection: Connection): void {
    const { link, inFlight } = connection;
    if (this.draining || !link.pausable) return;
    if (inFlight < this.config.limits.inFlight) connection.attempt(() => link.resume());
  }

  /** Says bye to everybody once what was accepted is committed and answered (P-2.14). */
  async beforeApplicationShutdown(): Promise<void> {
    this.draining = true;
    await this.users.touchAll(this.present.ids()).catch((error: unknown) => {
      this.logger.warn({ msg: 'The time of leaving was not stored', err: error });
    });
    const deadline = new Promise<void>((resolve) => setTimeout(resolve, DRAIN_MS).unref());
    const all = [...this.connections.all()].map((connection) => this.release(connection));
    await Promise.race([Promise.all(all), deadline]);
    for (const connection of this.connections.all()) sayGoingAway(connection);
    await this.connections.untilEmpty(CLOSE_MS);
    this.connections.stop();
  }

  private async release(connection: Connection): Promise<void> {
    connection.attempt(() => connection.link.pause());
    await this.dialects.plug?.drained(connection);
    await connection.queue?.drained();
    sayGoingAway(connection);
  }

  /** Takes a command that a connection read (P-3.4). */
  command(connection: Connection, { name, data, reply }: IncomingCommand): void {
    if (!connection.isOpen) return;
    connection.badFrames = 0;
    this.take(connection, new Call(connection, name, data, reply));
  }

  /** Hello by shorthand: the welcome, or the error, comes as an event (P-2.10). */
  private greetBy(connection: Connection, hello: unknown): void {
    const data =
      typeof hello === 'object' && hello !== null ? { protocol: 1, ...hello } : { hello };
    const reply: IncomingCommand['reply'] = (outcome) => {
      if (outcome.ok) connection.tell('welcome', outcome.data);
      else connection.sendError(outcome.error, 'hello');
    };
    this.take(connection, new Call(connection, 'hello', data, reply));
  }

  private take(connection: Connection, call: Call): void {
    const retryAfterMs = this.charge(connection);
    if (!connection.isOpen) return;
    if (retryAfterMs > 0) {
      const details = { bucket: 'commands' };
      call.refusal = new ProtocolError('rate_limited', { retryAfterMs, details });
    }
    connection.accept(call);
    const { link, inFlight } = connection;
    if (inFlight < this.config.limits.inFlight) return;
    if (link.pausable) connection.attempt(() => link.pause());
    else if (inFlight > WAITING_MAX) {
      connection.bye(CloseCode.rateAbuse, 'too many commands wait for their replies');
    }
  }

  /** Takes from the rate of a connection; ends one that goes on against refusals (P-9.10). */
  private charge(connection: Connection): number {
    const retryAfterMs = connection.commandBucket.take();
    // Not set back to 0: the rate lets one through now and then, however great the flood.
    connection.refusals = Math.max(0, connection.refusals + (retryAfterMs === 0 ? -1 : 1));
    if (connection.refusals >= this.commandRate.burst * ABUSE_FACTOR) {
      connection.bye(CloseCode.rateAbuse, 'commands go on although they are refused');
    }
    return retryAfterMs;
  }

  /** Answers what is no command; ends a connection that sends nothing else (P-3.8). */
  malformed(connection: Connection, why: string, reply: IncomingCommand['reply']): void {
    if (!connection.isOpen) return;
    connection.badFrames++;
    const error = new ProtocolError('bad_frame', { message: why }).toWire();
    if (reply === undefined) connection.sendError(error);
    else reply({ ok: false, error });
    if (connection.badFrames >= this.config.limits.badFrames) {
      connection.bye(CloseCode.protocolViolation, 'frames that are no commands, again and again');
    }
    this.charge(connection);
  }

  /** Clears up after a connection. */
  closed(connection: Connection, code: number, reason: string): void {
    this.logger.debug({ msg: 'closed', connection: connection.id, code, reason });
    this.connections.remove(connection);
    this.hub.detachAll(connection);
    connection.markClosed(reason);
    const user = connection.session?.user;
    if (user === undefined) return;
    user.remove(connection);
    if (user.connections.length > 0) return;
    this.present.leave(user);
    if (this.draining || !user.isStored) return;
    this.users.touch(user.id).catch((error: unknown) => {
      this.logger.warn({ msg: 'The time of leaving was not stored', err: error });
    });
  }
}

function refuseTokenInUrl(connection: Connection): void {
  const message =
    'A token in a URL ends up in logs: give it in hello, or as an Authorization: Bearer header.';
  connection.sendError(new ProtocolError('token_invalid', { message }).toWire(), 'hello');
}

function sayGoingAway(connection: Connection): void {
  connection.bye(CloseCode.goingAway, 'the server is stopping', returnDelay());
}
