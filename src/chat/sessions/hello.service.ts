import { randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';

import { Inject, Injectable } from '@nestjs/common';

import { CONFIG, type Config } from '../../config/config.js';
import { Database } from '../../database/database.js';
import type { Hello } from '../../protocol/commands.js';
import { CloseCode } from '../../protocol/close-codes.js';
import { ProtocolError } from '../../protocol/errors.js';
import { announcedOf, type AnnouncedLimits } from '../../protocol/limits.js';
import type { Position } from '../../protocol/models.js';
import { FEATURES, PROTOCOL_VERSION, SUPPORTED_VERSIONS } from '../../protocol/version.js';
import type { Welcome } from '../../protocol/welcome.js';
import { TokensService, type IssuedToken } from '../../users/tokens.service.js';
import { BotAccounts, botActor } from '../../users/bot-accounts.js';
import { BotNames } from '../../users/bot-names.js';
import { UsersService } from '../../users/users.service.js';
import { toUser, type Actor } from '../../store/actor.js';
import { newId } from '../../store/new-id.js';
import { BOT_PORT, type BotPort } from '../ports/bot-port.js';
import type { Call } from '../connections/call.js';
import { reconnectDelay, type Connection } from '../connections/connection.js';
import { GatewayHooks } from './gateway-hooks.js';
import { HourlyRates } from '../../limits/hourly-rates.js';
import { ResumeService } from './resume.service.js';
import type { PresentUser } from '../connections/session.js';
import { SessionsService } from './sessions.service.js';

const { name, version } = createRequire(import.meta.url)(
  '../../../package.json',
) as Welcome['server'];

type Issued = Pick<IssuedToken, 'expiresAt'> & Partial<IssuedToken>;

/** The latest time that a Date can express: the token of a bot does not expire. */
const NEVER = 8.64e15;

/** The handshake: identifies the user, opens the session and resumes rooms (P-2.2). */
@Injectable()
export class HelloService {
  private readonly limits: AnnouncedLimits;

  constructor(
    @Inject(CONFIG) config: Config,
    private readonly database: Database,
    private readonly tokens: TokensService,
    private readonly users: UsersService,
    private readonly accounts: BotAccounts,
    @Inject(BOT_PORT) private readonly bots: BotPort,
    private readonly botNames: BotNames,
    private readonly resume: ResumeService,
    private readonly sessions: SessionsService,
    private readonly rates: HourlyRates,
    private readonly gateways: GatewayHooks,
  ) {
    this.limits = announcedOf(config.limits);
  }

  /**
   * Opens the session of a connection; returns the welcome (P-2.4).
   *
   * @throws ProtocolError `hello_repeated`, `unsupported_version`, `token_invalid`,
   *   `token_expired`, `too_many_connections`, `rate_limited`, `unavailable`
   */
  async openSession(call: Call, hello: Hello): Promise<Welcome> {
    const { connection } = call;
    if (connection.session !== null) throw new ProtocolError('hello_repeated');
    if (!SUPPORTED_VERSIONS.includes(hello.protocol)) {
      const message = `This server does not speak protocol ${String(hello.protocol)}.`;
      const details = { supported: SUPPORTED_VERSIONS };
      throw new ProtocolError('unsupported_version', { message, details });
    }
    try {
      return await this.begin(call, hello);
    } catch (error) {
      if (error instanceof ProtocolError && error.code === 'unavailable') {
        const reason = 'the database cannot be reached';
        call.afterReply(() => connection.bye(CloseCode.unavailable, reason, reconnectDelay()));
      }
      throw error;
    }
  }

  private async begin(call: Call, hello: Hello): Promise<Welcome> {
    const { connection } = call;
    const actor = await this.identify(connection, hello);
    // Otherwise, other servers would not know the guest.
    if (hello.token === undefined && this.database.isShared) await this.users.storeEarly(actor);
    const issued = await this.issueFor(actor);
    requireOpen(connection);
    this.sessions.open(call, actor, issued.expiresAt);
    try {
      if (actor.kind === 'bot') call.afterReply(await this.bots.enter(call, hello.bot ?? {}));
      const welcome = await this.welcome(call, hello, issued);
      // Disconnect hooks run only for connections whose connection hooks ran.
      requireOpen(connection);
      this.gateways.entered(connection);
      return welcome;
    } catch (error) {
      this.sessions.close(connection);
      connection.setSession(null);
      throw error;
    }
  }

  private async identify({ handshake }: Connection, hello: Hello): Promise<Actor> {
    const { token } = hello;
    if (token === undefined) {
      if (hello.name !== undefined) await this.botNames.requireFree(hello.name);
      this.rates.admitGuest(handshake.remoteAddress);
      return newGuest(hello.name);
    }
    if (this.accounts.isBotToken(token)) return botActor((await this.accounts.verify(token)).name);
    const actor = await this.tokens.verify(token);
    // The name in a token may be outdated.
    const name = await this.users.touch(actor.id);
    return name === undefined ? actor : { ...actor, name };
  }

  /** Issues a new token; a bot keeps the token that the operator created. */
  private async issueFor(actor: Actor): Promise<Issued> {
    return actor.kind === 'bot' ? { expiresAt: NEVER } : this.tokens.issue(actor);
  }

  /** Builds the welcome; the user's events are already held, so that none is missed. */
  private async welcome(call: Call, hello: Hello, issued: Issued): Promise<Welcome> {
    const { link } = call.connection;
    const me = await this.findPosition(call.actor, hello.token !== undefined);
    await this.sessions.followOwn(call, me);
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
      limits: this.limits,
      server: { name, version },
      features: [...FEATURES],
      resumed,
    };
  }

  /** Returns the position of the user's own log; a returning user gets the stored name. */
  private async findPosition(user: PresentUser, returning: boolean): Promise<Position> {
    const nameBefore = user.name;
    const found = returning ? await this.users.findWithPosition(user.id) : null;
    user.learnStored(found?.user ?? null, nameBefore);
    return found?.me ?? { epoch: user.ownEpoch, seq: 0 };
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
