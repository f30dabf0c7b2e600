import type { BotScope } from '../protocol/bots.js';
import { TokenBucket, type BucketRate } from '../chat/token-bucket.js';
import type { Actor } from '../users/actor.js';
import { messageId } from '../messages/message-id.js';
import { BotRest } from './bot-rest.js';
import type { BotDefinition } from './runtime/bot-manifest.js';

/** A bot of this server: what it is, who it is, where it is, and how it fares. */
export class BotAccount {
  readonly actor: Actor;
  readonly commands: ReadonlySet<string>;
  readonly rest = new BotRest();
  readonly bucket: TokenBucket;
  /** Scopes by room. */
  readonly rooms = new Map<string, ReadonlySet<BotScope>>();

  constructor(
    readonly definition: BotDefinition,
    rate: BucketRate,
  ) {
    const { name, handlers } = definition;
    this.actor = { id: botId(name), name, kind: 'bot', ownEpoch: messageId('bot', name, 'epoch') };
    this.bucket = new TokenBucket(rate);
    this.commands = new Set(
      handlers.flatMap(({ options }) => (options.on === 'command' ? [options.name] : [])),
    );
  }

  get name(): string {
    return this.definition.name;
  }
}

/** Gives the user id of a bot: always the same, so that its rooms and its state last. */
export function botId(name: string): string {
  return messageId('bot', name, 'id');
}
