import { Injectable } from '@nestjs/common';

import type { BotPort } from '../../../chat/ports/bot-port.js';
import type { Call } from '../../../chat/connections/call.js';
import { reconnectDelay, type Connection } from '../../../chat/connections/connection.js';
import { SlowReaders } from '../../../chat/connections/slow-readers.js';
import { Lease } from '../../../database/lease.js';
import type { AppendedEvent, WriteTransaction } from '../../../database/write-job.js';
import type { BotHello } from '../../../protocol/bots.js';
import { CloseCode } from '../../../protocol/close-codes.js';
import type { CommandData, ReplyData } from '../../../protocol/commands.js';
import { ProtocolError } from '../../../protocol/errors.js';
import { ActiveRooms } from '../../../rooms/active-rooms.js';
import type { Entrant } from '../../../rooms/direct-rooms.js';
import { toUser, type Actor } from '../../../store/actor.js';
import { LogFeed, type FeedListener } from '../../../store/log-feed.js';
import { BotAccounts } from '../../../users/bot-accounts.js';
import { noSuchMessage } from '../../../messages/messages.service.js';
import type { Message, Room } from '../../../protocol/models.js';
import type { BotAccount } from '../roster/bot-account.js';
import { BotAlarmClock } from '../state/bot-alarm-clock.js';
import { BotLane } from '../dispatch/bot-lane.js';
import { BotMarks } from '../state/bot-marks.js';
import { checkBotCall, checkBotUpload } from '../roster/bot-policy.js';
import { BotReporter } from '../../kit/bot-reporter.js';
import { IdleTracker } from '../../kit/idle-tracker.js';
import { BotRoster } from '../roster/bot-roster.js';
import { BotTriggers } from '../dispatch/bot-triggers.js';
import { RemoteBotSession } from './remote-bot-session.js';
import { BotClock } from '../../kit/bot-clock.js';

/** Longest delay after which a bot tries the next server: short, since it may need several attempts. */
const RETRY_SPREAD_MS = 1_000;
const ELSEWHERE = 'another server runs the bots';

/** The connections of remote bots: leases their rooms and delivers events (P-13.8 to P-13.10). */
@Injectable()
export class RemoteBots implements BotPort, FeedListener {
  private readonly sessions = new Map<BotAccount, readonly RemoteBotSession[]>();

  constructor(
    private readonly roster: BotRoster,
    private readonly triggers: BotTriggers,
    private readonly marks: BotMarks,
    private readonly rooms: ActiveRooms,
    private readonly alarms: BotAlarmClock,
    private readonly clock: BotClock,
    private readonly slowReaders: SlowReaders,
    private readonly accounts: BotAccounts,
    private readonly reporter: BotReporter,
    private readonly idle: IdleTracker,
    private readonly feed: LogFeed,
    private readonly lease: Lease,
  ) {}

  async enter(call: Call, hello: BotHello): Promise<() => void> {
    const { connection, actor } = call;
    if (!this.lease.isHeld) {
      call.afterReply(() => sendAway(connection));
      throw new ProtocolError('unavailable', {
        message: `The bot is not served here: ${ELSEWHERE}.`,
      });
    }
    const bot = await this.roster.getForLogin(actor.name);
    if (!bot.isRemote) {
      throw new ProtocolError('forbidden', { message: 'This bot runs inside the server.' });
    }
    this.roster.setCommands(bot, hello.commands ?? []);
    bot.wantsBotMessages = hello.fromBots === true;
    return () => {
      const { clock, slowReaders, idle } = this;
      const session = new RemoteBotSession(connection, hello, bot.hops, {
        clock,
        slowReaders,
        idle,
      });
      this.add(bot, session);
      connection.onDisconnect(() => this.remove(bot, session));
      if (!this.lease.isHeld) this.release(session);
    };
  }

  check(call: Call, data: unknown): void {
    const { room } = data as { room?: string };
    const bot = this.roster.findById(call.actor.id);
    checkBotCall(call.name, room === undefined ? undefined : bot?.rooms.get(room)?.scopes);
    if (room !== undefined && call.name === 'message.send') {
      call.assumedHops = bot?.hops.max(room, this.clock.now());
    }
  }

  async checkRead({ actor }: Call, message: Message): Promise<void> {
    const bot = this.roster.findById(actor.id);
    if (bot === undefined || !(await this.triggers.mayRead(bot, message))) throw noSuchMessage();
  }

  checkUpload({ id, kind }: Actor): void {
    if (kind !== 'bot') return;
    checkBotUpload(this.roster.findById(id)?.rooms.values() ?? []);
  }

  async mayReadMessage({ id }: Actor, place: { room: string; message: string }): Promise<boolean> {
    const bot = this.roster.findById(id);
    if (bot === undefined) return false;
    const message = await this.triggers.findMessage(place.room, place.message);
    return message !== null && this.triggers.mayRead(bot, message);
  }

  async findEntrant(userId: string): Promise<Entrant | undefined> {
    const known = this.roster.findById(userId);
    // A remote bot may have been registered after the start.
    const registered = known === undefined ? await this.accounts.findById(userId) : null;
    const bot = registered === null ? known : await this.roster.get(registered.name);
    if (bot === undefined) return undefined;
    const enter = async (tx: WriteTransaction, room: Room) => {
      await this.roster.admit(tx, bot, room, [...bot.wanted]);
    };
    return { user: toUser(bot.actor), enter };
  }

  /** Finds the connection to which a room of a bot is leased. */
  findHolder(bot: BotAccount, room: string): RemoteBotSession | undefined {
    return this.sessionsOf(bot).find((session) => session.holds(room));
  }

  /** Stores the position up to which a bot has processed a room, and delivers more (P-13.9). */
  async acknowledge(call: Call, data: CommandData<'bot.ack'>): Promise<ReplyData<'bot.ack'>> {
    if (call.actor.kind !== 'bot') throw new ProtocolError('forbidden');
    const { room } = data;
    const seq = await this.marks.move(call, room, data.seq);
    const bot = await this.roster.get(call.actor.name);
    for (const session of this.sessionsOf(bot)) session.acknowledge(room, seq);
    return { room, seq };
  }

  committed(events: readonly AppendedEvent[]): void {
    // On the path of every message: costs nothing while no remote bot is connected.
    if (this.sessions.size === 0) return;
    for (const { log, event } of events) {
      for (const { bot } of this.roster.memberships.inRoom(log) ?? []) {
        this.findHolder(bot, log)?.push(log, event);
      }
    }
  }

  /** Closes the connections that receive a room of which the database has lost events (P-5.15). */
  reverted(log: string): void {
    for (const session of [...this.sessions.values()].flat()) {
      if (!session.holds(log)) continue;
      session.connection.bye(CloseCode.resync, 'the database went back to an earlier state');
    }
  }

  /** Sends all bots to the server that runs them from now on. */
  end(): void {
    for (const session of [...this.sessions.values()].flat()) this.release(session);
  }

  private release(session: RemoteBotSession): void {
    session.releaseAll();
    sendAway(session.connection);
  }

  /** Updates the leases of a bot that has joined or left a room. */
  updateLeases(bot: BotAccount): void {
    const sessions = this.sessionsOf(bot);
    if (sessions.length === 0) return;
    for (const session of sessions) {
      for (const room of session.rooms()) if (!bot.rooms.has(room)) session.release(room);
    }
    for (const room of bot.rooms.keys()) this.leaseRoom(bot, room);
  }

  private sessionsOf(bot: BotAccount): readonly RemoteBotSession[] {
    return this.sessions.get(bot) ?? [];
  }

  /** Adds a connection, which replaces the others unless all of them are shared (P-13.10). */
  private add(bot: BotAccount, session: RemoteBotSession): void {
    const others = this.sessionsOf(bot);
    const share = [session, ...others].every(({ hello }) => hello.mode === 'shared');
    this.sessions.set(bot, share ? [...others, session] : [session]);
    if (!share) {
      for (const other of others) {
        other.releaseAll();
        other.connection.bye(CloseCode.replaced, 'a newer connection of this bot took its place');
      }
    }
    for (const room of bot.rooms.keys()) this.leaseRoom(bot, room);
  }

  private remove(bot: BotAccount, session: RemoteBotSession): void {
    session.releaseAll();
    const left = this.sessionsOf(bot).filter((one) => one !== session);
    if (left.length === 0) this.sessions.delete(bot);
    else this.sessions.set(bot, left);
    for (const room of bot.rooms.keys()) this.leaseRoom(bot, room);
  }

  private leaseRoom(bot: BotAccount, room: string): void {
    const holder = this.chooseHolder(bot, room);
    if (holder === undefined || holder.holds(room)) return;
    for (const other of this.sessionsOf(bot)) other.release(room);
    const starting = this.startDelivery(bot, holder, room).catch((error: unknown) => {
      this.reporter.report({ bot: bot.name, kind: 'error', room, error });
      holder.connection.bye(CloseCode.unavailable, 'a room could not be read');
    });
    void this.idle.track(starting);
  }

  private chooseHolder(bot: BotAccount, room: string): RemoteBotSession | undefined {
    const ranked = [...this.sessionsOf(bot)].sort((a, b) => (a.rank(room) < b.rank(room) ? 1 : -1));
    return ranked[0];
  }

  /** Starts to deliver a room after the bot's mark, or at its head. */
  private async startDelivery(
    bot: BotAccount,
    session: RemoteBotSession,
    room: string,
  ): Promise<void> {
    const mark = session.hello.from === 'live' ? null : await this.marks.find(bot.actor.id, room);
    const { epoch, head } = await this.rooms.get(room);
    // There is no await from here on, so that later commits are pushed to the lane.
    const isHolder = bot.rooms.has(room) && this.chooseHolder(bot, room) === session;
    if (session.holds(room) || !isHolder) return;
    const after = mark?.epoch === epoch ? mark.seq : head;
    const lane = new BotLane(
      {
        handle: async (event) => {
          if ((await this.triggers.find(bot, event)) !== null) await session.deliver(event);
        },
        read: (from, limit) => this.triggers.read(room, from, limit),
        failed: (error) => this.reporter.report({ bot: bot.name, kind: 'error', room, error }),
      },
      this.idle,
      { seq: after, head },
    );
    const followed = this.feed.follow(room, { epoch, seq: head });
    session.lease(room, { after, lane, ended: () => this.feed.unfollow(followed) });
    await this.alarms.fireOverdue(bot.actor.id, room);
  }
}

function sendAway(connection: Connection): void {
  connection.bye(CloseCode.unavailable, ELSEWHERE, reconnectDelay(RETRY_SPREAD_MS));
}
