import type { BotScope } from '../../../protocol/bots.js';
import type { LogEvent } from '../../../protocol/events.js';
import type { Message } from '../../../protocol/models.js';
import type { BotMembership } from '../roster/bot-account.js';
import { MAX_HOPS } from './loop-guard.js';
import { addressOf, mayAddress } from '../../kit/addressing.js';
import { authorOf, isDirect } from '../../kit/bot-event.js';
import { scopeOfEvent, type BotDefinition } from '../../kit/bot-definition.js';
import { matchesAny } from '../../kit/handler-match.js';

/** Decides which bots of a room may see an event; computed once per event (P-13.2, P-13.7). */
export class EventVisibility {
  private readonly authorId: string | undefined;
  private readonly message: Message | null;
  private readonly isFromBot: boolean;
  /** Whether no bot may see the event. */
  private readonly isHidden: boolean;
  /** Whether the message may address a bot; in a direct room, every message does. */
  private readonly mayAddress: boolean;
  private readonly neededScope: BotScope | null;

  constructor(readonly event: LogEvent) {
    const author = authorOf(event);
    this.authorId = typeof author === 'string' ? author : author?.id;
    this.message = event.event === 'message.created' ? event.data.message : null;
    const { message } = this;
    this.isFromBot = message?.sender.kind === 'bot';
    this.isHidden = message !== null && isHidden(message);
    this.mayAddress = message !== null && (isDirect(message.room) || mayAddress(message));
    this.neededScope = message === null ? scopeOfEvent(event.event) : null;
  }

  /** Returns whether a bot may see the event, without a lookup. */
  isVisibleTo({ bot, scopes, readsAll, since }: BotMembership): boolean {
    const { event } = this;
    // A commit may contain events from before the bot joined; and a bot never sees its own events.
    if (event.data.seq < since || bot.actor.id === this.authorId || this.isHidden) return false;
    if (!bot.handles(event.event, this.isFromBot)) return false;
    if (this.message === null) return this.neededScope === null || scopes.has(this.neededScope);
    return readsAll || (this.mayAddress && scopes.has('messages:addressed'));
  }

  /**
   * Returns whether a handler of a bot that sees the event may be called for it.
   *
   * Synchronous and without side effects: most messages are for no bot.
   */
  mayTrigger({ bot, readsAll }: BotMembership, definition: BotDefinition): boolean {
    const { event, message } = this;
    // The lane decides whatever needs a lookup, counts for the loop guard, or may ask for help.
    if (message === null || message.replyTo !== undefined || this.isFromBot) return true;
    if (isDirect(message.room)) return true;
    const context = { repliesToBot: false, isDirect: false };
    const address = this.mayAddress ? addressOf(message.text, bot, context) : null;
    if (address === null && !readsAll) return false;
    return matchesAny(definition, { event, message, author: message.sender, address });
  }
}

/** Returns whether no bot may see a message (P-13.7). */
function isHidden({ kind, hops = 0 }: Message): boolean {
  return kind === 'notice' || hops >= MAX_HOPS;
}
