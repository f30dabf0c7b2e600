import type { BotScope } from '../protocol/bots.js';
import type { LogEvent } from '../protocol/events.js';
import type { Message } from '../protocol/models.js';
import type { BotSeat } from './bot-seats.js';
import { MAX_HOPS } from './loop-guard.js';
import { addressOf, mayAddress } from './runtime/addressing.js';
import { authorOf, isDirect } from './runtime/bot-event.js';
import { scopeOfEvent, type BotDefinition } from './runtime/bot-manifest.js';
import { matchesSome } from './runtime/handler-fit.js';

/** What one look at an event tells of it, for all bots in the room (P-13.2, P-13.7). */
export class BotSight {
  private readonly authorId: string | undefined;
  private readonly message: Message | null;
  private readonly isFromBot: boolean;
  private readonly isForNobody: boolean;
  /** Whether some bot may be addressed; in a direct room everything is for the other one. */
  private readonly mayAddress: boolean;
  private readonly neededScope: BotScope | null;

  constructor(readonly event: LogEvent) {
    const author = authorOf(event);
    this.authorId = typeof author === 'string' ? author : author?.id;
    this.message = event.event === 'message.created' ? event.data.message : null;
    const { message } = this;
    this.isFromBot = message?.sender.kind === 'bot';
    this.isForNobody = message !== null && isForNobody(message);
    this.mayAddress = message !== null && (isDirect(message.room) || mayAddress(message));
    this.neededScope = message === null ? scopeOfEvent(event.event) : null;
  }

  /** Tells, without looking anything up, whether a bot may be given the event. */
  isFor({ bot, scopes, reads, since }: BotSeat): boolean {
    const { event } = this;
    // A commit may carry what was said before the bot came; and a bot never gets what it did.
    if (event.data.seq < since || bot.actor.id === this.authorId || this.isForNobody) return false;
    if (!bot.mayWant(event.event, this.isFromBot)) return false;
    if (this.message === null) return this.neededScope === null || scopes.has(this.neededScope);
    return reads || (this.mayAddress && scopes.has('messages:addressed'));
  }

  /**
   * Tells whether a bot that may be given the event may have something to do for it.
   *
   * Without a promise, and without a trace: most messages are for no bot.
   */
  concerns({ bot, reads }: BotSeat, definition: BotDefinition): boolean {
    const { event, message } = this;
    // What has to be looked up, counts for a loop, or may ask for help is left to the lane.
    if (message === null || message.replyTo !== undefined || this.isFromBot) return true;
    if (isDirect(message.room)) return true;
    const asked = { repliesToBot: false, isDirect: false };
    const address = this.mayAddress ? addressOf(message.text, bot, asked) : null;
    if (address === null && !reads) return false;
    return matchesSome(definition, { event, message, author: message.sender, address });
  }
}

function isForNobody({ kind, hops = 0 }: Message): boolean {
  return kind === 'notice' || hops >= MAX_HOPS;
}
