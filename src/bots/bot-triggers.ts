import { Inject, Injectable } from '@nestjs/common';

import { Reader } from '../database/reader.js';
import { findMessage } from '../messages/message-rows.js';
import type { LogEvent } from '../protocol/events.js';
import type { Message, User } from '../protocol/models.js';
import { ActiveRooms } from '../rooms/active-rooms.js';
import { RoomLog } from '../rooms/room-log.js';
import { toUser } from '../users/actor.js';
import type { BotAccount } from './bot-account.js';
import { BotReporter } from './bot-reporter.js';
import { BotRoster } from './bot-roster.js';
import { authorOf, isDirect, maySee } from './bot-sight.js';
import { LoopGuard } from './loop-guard.js';
import { addressOf, type Address } from './runtime/addressing.js';
import { BotClock } from './runtime/bot-clock.js';
import type { BotTrigger } from './runtime/bot-context.js';

/** What of the log of a room is for a bot, in this process or afar (P-13.2, P-13.7). */
@Injectable()
export class BotTriggers {
  private readonly guard = new LoopGuard();

  constructor(
    @Inject(Reader) private readonly reader: Reader,
    @Inject(RoomLog) private readonly log: RoomLog,
    @Inject(ActiveRooms) private readonly rooms: ActiveRooms,
    @Inject(BotRoster) private readonly roster: BotRoster,
    @Inject(BotReporter) private readonly reporter: BotReporter,
    @Inject(BotClock) private readonly clock: BotClock,
  ) {}

  /** Reads events of a room after a position, oldest first. */
  async read(room: string, after: number, limit: number): Promise<LogEvent[]> {
    const logged = await this.reader.snapshot(({ sql }) => this.log.read(sql, room, after, limit));
    return logged.map(({ event }) => event);
  }

  /** Gives what a bot is to react to; null if it may not, or is not meant. */
  async of(bot: BotAccount, event: LogEvent): Promise<BotTrigger | null> {
    const { room } = event.data;
    if (!maySee(bot, event) || bot.rest.restsUntil(this.clock.now()) !== null) return null;
    const author = await this.findAuthor(room, event);
    if (author?.kind === 'bot' && !this.isNoLoop(bot, room, author)) return null;
    if (event.event !== 'message.created') return { event, message: null, author, address: null };
    const { message } = event.data;
    const address = await this.addressOf(bot, message);
    const isMeant = address !== null || bot.rooms.get(room)?.has('messages:read') === true;
    return isMeant ? { event, message, author, address } : null;
  }

  /** Finds a message of a room as it is now. */
  async findMessage(room: string, id: string): Promise<Message | null> {
    const recent = this.rooms.peek(room)?.messages.find((message) => message.id === id);
    return recent ?? this.reader.snapshot(({ sql }) => findMessage(sql, room, id));
  }

  private isNoLoop(bot: BotAccount, room: string, author: User): boolean {
    const verdict = this.guard.pass(room, bot.actor.id, author.id, this.clock.now());
    if (verdict === 'muted now') this.reporter.report({ bot: bot.name, kind: 'loop', room });
    return verdict === 'yes';
  }

  private async addressOf(bot: BotAccount, message: Message): Promise<Address | null> {
    const { replyTo, room, text } = message;
    const replied = replyTo === undefined ? null : await this.findMessage(room, replyTo);
    const repliesToBot = replied?.sender.id === bot.actor.id;
    return addressOf(text, bot, { repliesToBot, isDirect: isDirect(room) });
  }

  private async findAuthor(room: string, event: LogEvent): Promise<User | null> {
    const author = authorOf(event);
    if (author === null || typeof author !== 'string') return author;
    const bot = this.roster.all().find(({ actor }) => actor.id === author);
    if (bot !== undefined) return toUser(bot.actor);
    return (await this.rooms.find(room))?.members.get(author)?.user ?? null;
  }
}
