import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';

import { BotPort, type BotPlug } from '../chat/bot-port.js';
import type { Call } from '../chat/call.js';
import {
  Writer,
  type AppendedEvent,
  type CommitListener,
  type WriteTransaction,
} from '../database/writer.js';
import type { BotHello } from '../protocol/bots.js';
import { CloseCode } from '../protocol/close-codes.js';
import type { CommandData, ReplyData } from '../protocol/commands.js';
import { ProtocolError } from '../protocol/errors.js';
import { ActiveRooms } from '../rooms/active-rooms.js';
import type { Entrant } from '../rooms/direct-rooms.service.js';
import { toUser } from '../users/actor.js';
import { BotAccounts } from '../users/bot-accounts.service.js';
import { noSuchMessage } from '../messages/messages.service.js';
import type { Message, Room } from '../protocol/models.js';
import type { BotAccount } from './bot-account.js';
import { BotAlarmClock } from './bot-alarm-clock.js';
import { BotLane } from './bot-lane.js';
import { BotMarks } from './bot-marks.service.js';
import { checkBotCall } from './bot-policy.js';
import { BotReporter } from './runtime/bot-reporter.js';
import { BotRoster } from './bot-roster.js';
import { BotTriggers } from './bot-triggers.js';
import { RemoteBotSession } from './remote-bot-session.js';
import { BotClock } from './runtime/bot-clock.js';

/** Bots that connect from afar: who has which room, and what is delivered (P-13.8 to P-13.10). */
@Injectable()
export class RemoteBots implements OnModuleInit, BotPlug, CommitListener {
  private readonly sessions = new Map<BotAccount, readonly RemoteBotSession[]>();
  /** Leases that are about to begin. */
  private beginning = 0;

  constructor(
    @Inject(Writer) writer: Writer,
    @Inject(BotPort) private readonly port: BotPort,
    @Inject(BotRoster) private readonly roster: BotRoster,
    @Inject(BotTriggers) private readonly triggers: BotTriggers,
    @Inject(BotMarks) private readonly marks: BotMarks,
    @Inject(ActiveRooms) private readonly rooms: ActiveRooms,
    @Inject(BotAlarmClock) private readonly alarms: BotAlarmClock,
    @Inject(BotClock) private readonly clock: BotClock,
    @Inject(BotAccounts) private readonly accounts: BotAccounts,
    @Inject(BotReporter) private readonly reporter: BotReporter,
  ) {
    writer.listen(this);
    roster.onRoomsChanged((bot) => this.roomsChanged(bot));
  }

  onModuleInit(): void {
    this.port.plug = this;
  }

  async enter({ connection, actor }: Call, hello: BotHello): Promise<() => void> {
    const bot = await this.roster.getAnew(actor.name);
    if (bot.definition !== null) {
      throw new ProtocolError('forbidden', { message: 'This bot runs inside the server.' });
    }
    this.roster.setCommands(bot, hello.commands ?? []);
    bot.takesBots = hello.fromBots === true;
    return () => {
      const session = new RemoteBotSession(connection, hello, bot.given, this.clock);
      this.add(bot, session);
      connection.onDisconnect(() => this.remove(bot, session));
    };
  }

  check(call: Call, data: unknown): void {
    const { room } = data as { room?: string };
    const bot = this.roster.findById(call.actor.id);
    checkBotCall(call.name, room === undefined ? undefined : bot?.rooms.get(room)?.scopes);
    if (room !== undefined && call.name === 'message.send') {
      call.givenHops = bot?.given.most(room, this.clock.now());
    }
  }

  async checkRead({ actor }: Call, message: Message): Promise<void> {
    const bot = this.roster.findById(actor.id);
    if (bot === undefined || !(await this.triggers.mayRead(bot, message))) throw noSuchMessage();
  }

  async findEntrant(userId: string): Promise<Entrant | undefined> {
    const known = this.roster.findById(userId);
    // One from afar may have been registered just now.
    const registered = known === undefined ? await this.accounts.findById(userId) : null;
    const bot = registered === null ? known : await this.roster.get(registered.name);
    if (bot === undefined) return undefined;
    const enter = async (tx: WriteTransaction, room: Room) => {
      await this.roster.admit(tx, bot, room, [...bot.wanted]);
    };
    return { user: toUser(bot.actor), enter };
  }

  /** Finds the connection that a room of a bot is leased to. */
  findHolder(bot: BotAccount, room: string): RemoteBotSession | undefined {
    return this.of(bot).find((session) => session.has(room));
  }

  /** Stores what a bot has processed, and delivers on (P-13.9). */
  async acknowledge(call: Call, data: CommandData<'bot.ack'>): Promise<ReplyData<'bot.ack'>> {
    if (call.actor.kind !== 'bot') throw new ProtocolError('forbidden');
    const { room } = data;
    const seq = await this.marks.move(call, room, data.seq);
    const bot = await this.roster.get(call.actor.name);
    for (const session of this.of(bot)) session.acknowledged(room, seq);
    return { room, seq };
  }

  committed(events: readonly AppendedEvent[]): void {
    // On the path of every message: it costs nothing as long as no bot from afar is connected.
    if (this.sessions.size === 0) return;
    for (const { log, event } of events) {
      for (const { bot } of this.roster.seats.in(log) ?? []) {
        this.findHolder(bot, log)?.offer(log, event);
      }
    }
  }

  lost(): void {
    // Everybody is told to come back, bots as well; they go on after their marks.
  }

  /** Has the rooms of a bot leased anew, after one came or went. */
  private roomsChanged(bot: BotAccount): void {
    const sessions = this.of(bot);
    if (sessions.length === 0) return;
    for (const session of sessions) {
      for (const room of session.rooms()) if (!bot.rooms.has(room)) session.release(room);
    }
    for (const room of bot.rooms.keys()) this.leaseRoom(bot, room);
  }

  /** Counts what is about to be sent to bots, but for what waits for their acknowledgements. */
  countBusy(): number {
    const sessions = [...this.sessions.values()].flat();
    return sessions.reduce((sum, session) => sum + session.countBusy(), this.beginning);
  }

  private of(bot: BotAccount): readonly RemoteBotSession[] {
    return this.sessions.get(bot) ?? [];
  }

  /** The newest connection takes the place of the others, unless all of them share (P-13.10). */
  private add(bot: BotAccount, session: RemoteBotSession): void {
    const others = this.of(bot);
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
    const left = this.of(bot).filter((one) => one !== session);
    if (left.length === 0) this.sessions.delete(bot);
    else this.sessions.set(bot, left);
    for (const room of bot.rooms.keys()) this.leaseRoom(bot, room);
  }

  private leaseRoom(bot: BotAccount, room: string): void {
    const holder = this.chooseHolder(bot, room);
    if (holder === undefined || holder.has(room)) return;
    for (const other of this.of(bot)) other.release(room);
    this.beginning++;
    this.begin(bot, holder, room)
      .catch((error: unknown) => {
        this.reporter.report({ bot: bot.name, kind: 'error', room, error });
        holder.connection.bye(CloseCode.unavailable, 'a room could not be read');
      })
      .finally(() => this.beginning--);
  }

  private chooseHolder(bot: BotAccount, room: string): RemoteBotSession | undefined {
    const ranked = [...this.of(bot)].sort((a, b) => (a.rank(room) < b.rank(room) ? 1 : -1));
    return ranked[0];
  }

  /** Delivers a room after the bot's mark, or from now on. */
  private async begin(bot: BotAccount, session: RemoteBotSession, room: string): Promise<void> {
    const mark = session.hello.from === 'live' ? null : await this.marks.find(bot.actor.id, room);
    const { epoch, head } = await this.rooms.get(room);
    // Nothing is awaited from here on: what is committed later is offered to the lane.
    const isHolder = bot.rooms.has(room) && this.chooseHolder(bot, room) === session;
    if (session.has(room) || !isHolder) return;
    const after = mark?.epoch === epoch ? mark.seq : head;
    const lane = new BotLane(
      {
        deal: async (event) => {
          if ((await this.triggers.of(bot, event)) !== null) await session.deliver(event);
        },
        read: (from, limit) => this.triggers.read(room, from, limit),
        failed: (error) => this.reporter.report({ bot: bot.name, kind: 'error', room, error }),
      },
      { seq: after, head },
    );
    session.lease(room, after, lane);
    await this.alarms.ringOverdue(bot.actor.id, room);
  }
}
