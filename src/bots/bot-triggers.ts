import { Inject, Injectable } from '@nestjs/common';

import { Reader } from '../database/reader.js';
import { findMessage } from '../messages/message-rows.js';
import type { LogEvent } from '../protocol/events.js';
import type { Message, User } from '../protocol/models.js';
import { ActiveRooms } from '../rooms/active-rooms.js';
import { RoomLog } from '../rooms/room-log.js';
import { toUser } from '../users/actor.js';
import { UsersService } from '../users/users.service.js';
import type { BotAccount } from './bot-account.js';
import { BotReporter } from './runtime/bot-reporter.js';
import { BotRoster } from './bot-roster.js';
import { BotSight } from './bot-sight.js';
import { LoopGuard } from './loop-guard.js';
import { addressOf, type Address } from './runtime/addressing.js';
import { BotClock } from './runtime/bot-clock.js';
import type { BotTrigger } from './runtime/bot-context.js';
import { authorOf, isDirect } from './runtime/bot-event.js';

/** What of the log of a room is for a bot, in this process or afar (P-13.2, P-13.7). */
@Injectable()
export class BotTriggers {
  private readonly guard = new LoopGuard();
  /** When the next page may be read. */
  private turn: Promise<void> = Promise.resolve();

  constructor(
    @Inject(Reader) private readonly reader: Reader,
    @Inject(RoomLog) private readonly log: RoomLog,
    @Inject(ActiveRooms) private readonly rooms: ActiveRooms,
    @Inject(BotRoster) private readonly roster: BotRoster,
    @Inject(BotReporter) private readonly reporter: BotReporter,
    @Inject(BotClock) private readonly clock: BotClock,
    @Inject(UsersService) private readonly users: UsersService,
  ) {}

  /**
   * Reads events of a room after a position, oldest first.
   *
   * One page in a turn of the event loop: a bot that is behind in many rooms delays nobody.
   */
  async read(room: string, after: number, limit: number): Promise<LogEvent[]> {
    const reading = this.turn.then(() =>
      this.reader.snapshot(({ sql }) => this.log.read(sql, room, after, limit)),
    );
    const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));
    this.turn = reading.then(nextTurn, nextTurn);
    return (await reading).map(({ event }) => event);
  }

  /**
   * Gives what a bot is to react to; null if it may not, or is not meant.
   *
   * Without a promise unless something has to be looked up: most messages are for no bot.
   */
  of(bot: BotAccount, event: LogEvent): BotTrigger | null | Promise<BotTrigger | null> {
    const seat = bot.rooms.get(event.data.room);
    if (seat === undefined || !new BotSight(event).isFor(seat)) return null;
    if (bot.rest.restsUntil(this.clock.now()) !== null) return null;
    const author = authorOf(event);
    const isKnown = event.event === 'message.created' && event.data.message.replyTo === undefined;
    if (!isKnown || typeof author === 'string') return this.lookUp(bot, event);
    return this.judge(bot, event, author, addressIn(event.data.message, bot, false));
  }

  private async lookUp(bot: BotAccount, event: LogEvent): Promise<BotTrigger | null> {
    const author = await this.findAuthor(event.data.room, event);
    const isMessage = event.event === 'message.created';
    const address = isMessage ? await this.addressOf(bot, event.data.message) : null;
    return this.judge(bot, event, author, address);
  }

  private judge(
    bot: BotAccount,
    event: LogEvent,
    author: User | null,
    address: Address | null,
  ): BotTrigger | null {
    if (author?.kind === 'bot' && !this.isNoLoop(bot, event, author)) return null;
    if (event.event !== 'message.created') return { event, message: null, author, address };
    const { message, room } = event.data;
    const isMeant = address !== null || bot.rooms.get(room)?.reads === true;
    return isMeant ? { event, message, author, address } : null;
  }

  /** Finds a message of a room as it is now. */
  async findMessage(room: string, id: string): Promise<Message | null> {
    const recent = this.rooms.peek(room)?.messages.find((message) => message.id === id);
    return recent ?? this.reader.snapshot(({ sql }) => findMessage(sql, room, id));
  }

  /** Tells whether a message is there for a bot that looks it up (P-6.13). */
  async mayRead(bot: BotAccount, message: Message): Promise<boolean> {
    const scopes = bot.rooms.get(message.room)?.scopes;
    if (scopes === undefined) return false;
    if (message.sender.id === bot.actor.id || scopes.has('messages:read')) return true;
    return scopes.has('messages:addressed') && (await this.addressOf(bot, message)) !== null;
  }

  private isNoLoop(bot: BotAccount, { data: { room, at } }: LogEvent, author: User): boolean {
    const verdict = this.guard.pass(room, bot.actor.id, author.id, at);
    if (verdict === 'muted now') this.reporter.report({ bot: bot.name, kind: 'loop', room });
    return verdict === 'yes';
  }

  private async addressOf(bot: BotAccount, message: Message): Promise<Address | null> {
    const { replyTo, room } = message;
    const replied = replyTo === undefined ? null : await this.findMessage(room, replyTo);
    return addressIn(message, bot, replied?.sender.id === bot.actor.id);
  }

  private async findAuthor(room: string, event: LogEvent): Promise<User | null> {
    const author = authorOf(event);
    if (author === null || typeof author !== 'string') return author;
    const bot = this.roster.all().find(({ actor }) => actor.id === author);
    if (bot !== undefined) return toUser(bot.actor);
    const member = (await this.rooms.find(room))?.members.get(author);
    // Who has left since is stored all the same.
    return member?.user ?? this.users.find(author);
  }
}

function addressIn(
  { text, room }: Message,
  bot: BotAccount,
  repliesToBot: boolean,
): Address | null {
  return addressOf(text, bot, { repliesToBot, isDirect: isDirect(room) });
}
