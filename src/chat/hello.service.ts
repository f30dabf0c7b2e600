import { randomBytes } from 'node:crypto';

import { Inject, Injectable } from '@nestjs/common';

import { CONFIG, type Config } from '../config/config.js';
import type { Hello } from '../protocol/commands.js';
import { CloseCode } from '../protocol/close-codes.js';
import { ProtocolError } from '../protocol/errors.js';
import type { Position } from '../protocol/models.js';
import { FEATURES, PROTOCOL_VERSION, SUPPORTED_VERSIONS } from '../protocol/version.js';
import type { Welcome } from '../protocol/welcome.js';
import { TokensService, type IssuedToken } from '../users/tokens.service.js';
import { BotAccounts, botActor } from '../users/bot-accounts.service.js';
import { ReservedNames } from '../users/reserved-names.js';
import { UsersService } from '../users/users.service.js';
import { toUser, type Actor } from '../users/actor.js';
import { newId } from '../users/new-id.js';
import { BotPort } from './bot-port.js';
import type { Call } from './call.js';
import type { Connection } from './connection.js';
import { GatewayHooks } from './gateway-hooks.js';
import { HourlyRates } from './hourly-rates.js';
import { PresentUsers } from './present-users.js';
import { ResumeService } from './resume.service.js';
import { returnDelay } from './return-delay.js';
import { RoomHub } from './room-hub.js';
import type { PresentUser } from './session.js';
import { SERVER } from './server-info.js';

type Issued = Pick<IssuedToken, 'expiresAt'> & Partial<IssuedToken>;

/** The last moment that a date can tell: the token of a bot has no end. */
const NEVER = 8.64e15;

/** The handshake: who is it, and what did they miss (P-2.2). */
@Injectable()
export class HelloService {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(TokensService) private readonly tokens: TokensService,
    @Inject(UsersService) private readonly users: UsersService,
    @Inject(BotAccounts) private readonly accounts: BotAccounts,
    @Inject(BotPort) private readonly bots: BotPort,
    @Inject(ReservedNames) private readonly reserved: ReservedNames,
    @Inject(PresentUsers) private readonly present: PresentUsers,
    @Inject(ResumeService) private readonly resume: ResumeService,
    @Inject(RoomHub) private readonly hub: RoomHub,
    @Inject(HourlyRates) private readonly rates: HourlyRates,
    @Inject(GatewayHooks) private readonly gateways: GatewayHooks,
  ) {}

  /**
   * Gives the connection a session; the reply is the welcome (P-2.4).
   *
   * @throws ProtocolError `hello_repeated`, `unsupported_version`, `token_invalid`,
   *   `token_expired`, `too_many_connections`, `rate_limited`, `unavailable`
   */
  async greet(call: Call, hello: Hello): Promise<Welcome> {
    const { connection } = call;
    if (connection.session !== null) throw new ProtocolError('hello_repeated');
    if (!SUPPORTED_VERSIONS.includes(hello.protocol)) {
      const message = `Protocol ${String(hello.protocol)} is not spoken here.`;
      const details = { supported: SUPPORTED_VERSIONS };
      throw new ProtocolError('unsupported_version', { message, details });
    }
    try {
      return await this.begin(call, hello);
    } catch (error) {
      if (error instanceof ProtocolError && error.code === 'unavailable') {
        const reason = 'the database cannot be reached';
        call.afterReply(() => connection.bye(CloseCode.unavailable, reason, returnDelay()));
      }
      throw error;
    }
  }

  private async begin(call: Call, hello: Hello): Promise<Welcome> {
    const { connection } = call;
    const actor = await this.identify(connection, hello);
    const issued = await this.issueFor(actor);
    requireOpen(connection);
    this.enter(call, actor, issued.expiresAt);
    try {
      if (actor.kind === 'bot') call.afterReply(await this.bots.plug.enter(call, hello.bot ?? {}));
      const welcome = await this.welcome(call, hello, issued);
      // Gateways are told of the end of those only whose beginning they were told of.
      requireOpen(connection);
      this.gateways.entered(connection);
      return welcome;
    } catch (error) {
      this.leave(connection);
      throw error;
    }
  }

  private async identify({ handshake }: Connection, hello: Hello): Promise<Actor> {
    const { token } = hello;
    if (token === undefined) {
      if (hello.name !== undefined) this.reserved.check(hello.name);
      this.rates.admitGuest(handshake.remoteAddress);
      return newGuest(hello.name);
    }
    if (this.accounts.isBotToken(token)) return botActor((await this.accounts.verify(token)).name);
    const actor = await this.tokens.verify(token);
    // The name of a token may be one that the user had before.
    const name = await this.users.touch(actor.id);
    return name === undefined ? actor : { ...actor, name };
  }

  /** A bot keeps the token that it was given on the command line. */
  private async issueFor(actor: Actor): Promise<Issued> {
    return actor.kind === 'bot' ? { expiresAt: NEVER } : this.tokens.issue(actor);
  }

  /** What is read here is read after the user's events began to be held: none is missed. */
  private async welcome(call: Call, hello: Hello, issued: Issued): Promise<Welcome> {
    const { link } = call.connection;
    const me = await this.findPosition(call.actor, hello.token !== undefined);
    const byFrames = hello.heartbeat === 'frames' && link.pingByFrames();
    const resumed = await this.resume.resume(call, hello.resume ?? {});
    const { intervalMs, timeoutMs } = link.heartbeat;
    return {
      protocol: PROTOCOL_VERSION,
      session: call.session.id,
      user: toUser(call.actor),
      ...issued,
      me,
      heartbeat: { mode: byFrames ? 'frames' : 'transport', intervalMs, timeoutMs },
      limits: this.config.limits,
      server: SERVER,
      features: [...FEATURES],
      resumed,
    };
  }

  /** Gives the position of the user's own log; a user who comes back gets the stored name. */
  private async findPosition(user: PresentUser, returning: boolean): Promise<Position> {
    const { name } = user;
    const found = returning ? await this.users.findWithPosition(user.id) : null;
    // From the first welcome on, and once it changed, memory is ahead of what was read.
    if (found !== null && !user.isNameKnown && user.name === name) user.name = found.user.name;
    user.isNameKnown = true;
    if (found === null) return { epoch: user.ownEpoch, seq: 0 };
    user.isStored = true;
    return found.me;
  }

  private enter(call: Call, actor: Actor, expiresAt: number): void {
    const { connection } = call;
    const user = this.present.enter(actor);
    if (user.connections.length >= this.config.limits.connectionsPerUser) {
      const reason = 'too many open connections of this user';
      call.afterReply(() => connection.bye(CloseCode.tooManyConnections, reason));
      throw new ProtocolError('too_many_connections');
    }
    user.add(connection);
    call.afterReply(() => connection.own.release());
    connection.session = { id: newId(), user, expiresAt, warned: false };
  }

  private leave(connection: Connection): void {
    const user = connection.session?.user;
    if (user === undefined) return;
    this.hub.detachAll(connection);
    connection.session = null;
    user.remove(connection);
    this.present.leave(user);
  }
}

function requireOpen({ isOpen }: Connection): void {
  if (!isOpen) throw new ProtocolError('unavailable');
}

function newGuest(name?: string): Actor {
  return {
    id: newId(),
    name: name ?? `guest-${randomBytes(2).toString('hex')}`,
    kind: 'guest',
    ownEpoch: randomBytes(9).toString('base64url'),
  };
}
