import { Injectable } from '@nestjs/common';

import { Reader } from '../../../database/reader.js';
import type { LogEvent } from '../../../protocol/events.js';
import type { Message, User } from '../../../protocol/models.js';
import { ActiveRooms } from '../../../rooms/active-rooms.js';
import { toUser } from '../../../store/actor.js';
import { findMessage } from '../../../store/message-rows.js';
import { RoomLog } from '../../../store/room-log.js';
import { UsersService } from '../../../users/users.service.js';
import { addressOf, type Address } from '../../kit/addressing.js';
import { BotClock } from '../../kit/bot-clock.js';
import type { BotTrigger } from '../../kit/bot-context.js';
import { authorOf, isDirect } from '../../kit/bot-event.js';
import { BotReporter } from '../../kit/bot-reporter.js';
import type { BotAccount } from '../roster/bot-account.js';
import { BotRoster } from '../roster/bot-roster.js';
import { EventVisibility } from './event-visibility.js';
import { LoopGuard } from './loop-guard.js';

/** Reads the logs of rooms for bots, and decides what triggers them (P-13.2, P-13.7). */
@Injectable()
export class BotTriggers {
  private readonly guard = new LoopGuard();
  /** Resolves when the next page may be read. */
  private turn: Promise<void> = Promise.resolve();

  constructor(
    private readonly reader: Reader,
    private readonly log: RoomLog,
    private readonly rooms: ActiveRooms,
    private readonly roster: BotRoster,
    private readonly reporter: BotReporter,
    private readonly clock: BotClock,
    private readonly users: UsersService,
  ) {}

  /**
   * Reads events of a room after a position, oldest first.
   *
   * Reads one page per turn of the event loop: a bot that is behind in many rooms delays no user.
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
   * Returns what a bot reacts to; null if it may not see the event, or is not addressed.
   *
   * Returns no promise unless a lookup is needed: most messages are for no bot.
   */
  find(bot: BotAccount, event: LogEvent): BotTrigger | null | Promise<BotTrigger | null> {
    const membership = bot.rooms.get(event.data.room);
    if (membership === undefined || !new EventVisibility(event).isVisibleTo(membership)) {
      return null;
    }
    if (bot.backoff.restingUntil(this.clock.now()) !== null) return null;
    const author = authorOf(event);
    const isKnown = event.event === 'message.created' && event.data.message.replyTo === undefined;
    if (!isKnown || typeof author === 'string') return this.lookUp(bot, event);
    return this.decide(bot, event, author, addressIn(event.data.message, bot, false));
  }

  private async lookUp(bot: BotAccount, event: LogEvent): Promise<BotTrigger | null> {
    const author = await this.findAuthor(event.data.room, event);
    const isMessage = event.event === 'message.created';
    const address = isMessage ? await this.addressOf(bot, event.data.message) : null;
    return this.decide(bot, event, author, address);
  }

  private decide(
    bot: BotAccount,
    event: LogEvent,
    author: User | null,
    address: Address | null,
  ): BotTrigger | null {
    if (author?.kind === 'bot' && !this.passesLoopGuard(bot, event, author)) return null;
    if (event.event !== 'message.created') return { event, message: null, author, address };
    const { message, room } = event.data;
    const isForBot = address !== null || bot.rooms.get(room)?.readsAll === true;
    return isForBot ? { event, message, author, address } : null;
  }

  /** Finds the current version of a message of a room. */
  async findMessage(room: string, id: string): Promise<Message | null> {
    const recent = this.rooms.peek(room)?.messages.find((message) => message.id === id);
    return recent ?? this.reader.snapshot(({ sql }) => findMessage(sql, room, id));
  }

  /** Returns whether a bot may read a message that it looks up (P-6.13). */
  async mayRead(bot: BotAccount, message: Message): Promise<boolean> {
    const scopes = bot.rooms.get(message.room)?.scopes;
    if (scopes === undefined) return false;
    if (message.sender.id === bot.actor.id || scopes.has('messages:read')) return true;
    return scopes.has('messages:addressed') && (await this.addressOf(bot, message)) !== null;
  }

  private passesLoopGuard(bot: BotAccount, { data: { room, at } }: LogEvent, author: User) {
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
    const bot = this.roster.findById(author);
    if (bot !== undefined) return toUser(bot.actor);
    const member = (await this.rooms.find(room))?.members.get(author);
    // A user who has left since is still stored.
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
