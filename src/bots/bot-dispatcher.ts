import { Inject, Injectable, type BeforeApplicationShutdown } from '@nestjs/common';

import { TypingService } from '../chat/typing.service.js';
import { Reader } from '../database/reader.js';
import { Writer, type AppendedEvent, type CommitListener } from '../database/writer.js';
import { HistoryService } from '../messages/history.service.js';
import { findMessage } from '../messages/message-rows.js';
import { MessagesService } from '../messages/messages.service.js';
import { ReactionsService } from '../messages/reactions.service.js';
import type { LogEvent } from '../protocol/events.js';
import type { Message, User } from '../protocol/models.js';
import { ActiveRooms } from '../rooms/active-rooms.js';
import { RoomLog } from '../rooms/room-log.js';
import { toUser } from '../users/actor.js';
import type { BotAccount } from './bot-account.js';
import { BotLane } from './bot-lane.js';
import { BotReporter } from './bot-reporter.js';
import { BotRoster } from './bot-roster.js';
import { BotStates } from './bot-states.service.js';
import { authorOf, isDirect, maySee } from './bot-sight.js';
import { LoopGuard } from './loop-guard.js';
import { addressOf, type Address } from './runtime/addressing.js';
import type { BotTrigger } from './runtime/bot-context.js';
import { BotRunner } from './runtime/bot-runner.js';
import { ServerBotHost, type BotServices } from './server-bot-host.js';

/** Gives the bots in a room what is committed there, each in a lane of its own (P-13.2). */
@Injectable()
export class BotDispatcher implements CommitListener, BeforeApplicationShutdown {
  private readonly lanes = new Map<BotAccount, Map<string, BotLane>>();
  private readonly runners = new Map<BotAccount, BotRunner>();
  private readonly guard = new LoopGuard();
  private readonly services: BotServices;
  private isStopping = false;

  constructor(
    @Inject(Writer) writer: Writer,
    @Inject(Reader) private readonly reader: Reader,
    @Inject(RoomLog) private readonly log: RoomLog,
    @Inject(ActiveRooms) private readonly rooms: ActiveRooms,
    @Inject(BotRoster) private readonly roster: BotRoster,
    @Inject(BotReporter) private readonly reporter: BotReporter,
    @Inject(BotStates) states: BotStates,
    @Inject(MessagesService) messages: MessagesService,
    @Inject(ReactionsService) reactions: ReactionsService,
    @Inject(HistoryService) history: HistoryService,
    @Inject(TypingService) typing: TypingService,
  ) {
    this.services = { messages, reactions, history, typing, states, reporter };
    writer.listen(this);
  }

  committed(events: readonly AppendedEvent[]): void {
    if (this.isStopping) return;
    for (const { log, event } of events) {
      for (const bot of this.roster.inRoom(log) ?? []) {
        if (maySee(bot, event)) this.lane(bot, log).push(event);
      }
    }
  }

  lost(): void {
    // A lane that is behind reads on from the log; what was announced stays true.
  }

  /** Gives bots no more to do; what they are at has the time of a handler. */
  async beforeApplicationShutdown(): Promise<void> {
    this.isStopping = true;
    await this.settled();
  }

  /** Resolves when no bot has anything to do. */
  async settled(): Promise<void> {
    const lanes = [...this.lanes.values()].flatMap((byRoom) => [...byRoom.values()]);
    await Promise.all(lanes.map((lane) => lane.settled()));
  }

  private lane(bot: BotAccount, room: string): BotLane {
    const byRoom = this.lanes.get(bot) ?? new Map<string, BotLane>();
    this.lanes.set(bot, byRoom);
    let lane = byRoom.get(room);
    if (lane === undefined) {
      lane = new BotLane({
        deal: (event) => this.deal(bot, room, event),
        read: (after, limit) => this.read(room, after, limit),
        failed: (error) => this.reporter.report({ bot: bot.name, kind: 'error', room, error }),
      });
      byRoom.set(room, lane);
    }
    return lane;
  }

  private async read(room: string, after: number, limit: number): Promise<LogEvent[]> {
    const logged = await this.reader.snapshot(({ sql }) => this.log.read(sql, room, after, limit));
    return logged.map(({ event }) => event);
  }

  private async deal(bot: BotAccount, room: string, event: LogEvent): Promise<void> {
    const trigger = await this.triggerOf(bot, room, event);
    if (trigger === null) return;
    const outcome = await this.runner(bot).run(trigger);
    if (outcome === 'handled') bot.rest.succeeded();
    if (outcome === 'failed' && bot.rest.failed()) {
      this.reporter.report({ bot: bot.name, kind: 'resting', room });
    }
  }

  /** Gives what a bot is to react to; null if it may not, or is not meant. */
  private async triggerOf(
    bot: BotAccount,
    room: string,
    event: LogEvent,
  ): Promise<BotTrigger | null> {
    if (!maySee(bot, event) || bot.rest.restsUntil() !== null) return null;
    const author = await this.findAuthor(room, event);
    if (author?.kind === 'bot' && !this.isNoLoop(bot, room, author)) return null;
    if (event.event !== 'message.created') return { event, message: null, author, address: null };
    const { message } = event.data;
    const address = await this.addressOf(bot, message);
    const isMeant = address !== null || bot.rooms.get(room)?.has('messages:read') === true;
    return isMeant ? { event, message, author, address } : null;
  }

  private isNoLoop(bot: BotAccount, room: string, author: User): boolean {
    const verdict = this.guard.pass(room, bot.actor.id, author.id);
    if (verdict === 'muted now') this.reporter.report({ bot: bot.name, kind: 'loop', room });
    return verdict === 'yes';
  }

  private async addressOf(bot: BotAccount, message: Message): Promise<Address | null> {
    const { replyTo, room, text } = message;
    const replied = replyTo === undefined ? null : await this.findMessage(room, replyTo);
    const repliesToBot = replied?.sender.id === bot.actor.id;
    return addressOf(text, bot, { repliesToBot, isDirect: isDirect(room) });
  }

  private async findMessage(room: string, id: string): Promise<Message | null> {
    const recent = this.rooms.peek(room)?.messages.find((message) => message.id === id);
    return recent ?? this.reader.snapshot(({ sql }) => findMessage(sql, room, id));
  }

  private async findAuthor(room: string, event: LogEvent): Promise<User | null> {
    const author = authorOf(event);
    if (author === null || typeof author !== 'string') return author;
    const bot = this.roster.all().find(({ actor }) => actor.id === author);
    if (bot !== undefined) return toUser(bot.actor);
    return (await this.rooms.find(room))?.members.get(author)?.user ?? null;
  }

  private runner(bot: BotAccount): BotRunner {
    let runner = this.runners.get(bot);
    if (runner === undefined) {
      runner = new BotRunner(bot.definition, new ServerBotHost(bot, this.services));
      this.runners.set(bot, runner);
    }
    return runner;
  }
}
