import { setTimeout as delay } from 'node:timers/promises';

import { ProtocolError } from '../protocol/errors.js';
import type { Message } from '../protocol/models.js';
import type { HistoryService } from '../messages/history.service.js';
import type { MessagesService } from '../messages/messages.service.js';
import type { ReactionsService } from '../messages/reactions.service.js';
import type { TypingService } from '../chat/typing.service.js';
import type { Caller } from '../users/actor.js';
import type { BotAccount } from './bot-account.js';
import type { BotReporter } from './bot-reporter.js';
import type { BotStates } from './bot-states.service.js';
import type {
  BotHost,
  BotMessage,
  BotReport,
  StateChange,
  StateOwner,
} from './runtime/bot-host.js';

/** Longest time that a bot which writes too fast is held back before it is refused. */
const LONGEST_WAIT_MS = 5_000;

/** The services that a bot acts through: the same as those of every client. */
export interface BotServices {
  readonly messages: MessagesService;
  readonly reactions: ReactionsService;
  readonly history: HistoryService;
  readonly typing: TypingService;
  readonly states: BotStates;
  readonly reporter: BotReporter;
}

/** What a bot inside the server can do: what its scopes and its rate allow. */
export class ServerBotHost implements BotHost {
  private readonly caller: Caller;

  constructor(
    private readonly bot: BotAccount,
    private readonly services: BotServices,
  ) {
    this.caller = { actor: bot.actor, placed: () => undefined };
  }

  async send({ notice, ...message }: BotMessage): Promise<Message> {
    const { messages, history } = this.services;
    const { room, cid } = message;
    await this.mayWrite(room);
    const kind = notice === true ? { kind: 'notice' as const } : {};
    try {
      return (await messages.send(this.caller, { ...message, ...kind })).message;
    } catch (error) {
      if (!(error instanceof ProtocolError) || error.code !== 'idempotency_conflict') throw error;
      // The same event was dealt with before, with another result: that one stands.
      const status = await history.status(this.bot.actor, { room, cid });
      if (status.message === undefined) throw error;
      return status.message;
    }
  }

  async edit(room: string, message: string, text: string): Promise<Message> {
    await this.mayWrite(room);
    return (await this.services.messages.edit(this.caller, { room, message, text })).message;
  }

  async react(room: string, message: string, emoji: string): Promise<void> {
    await this.mayWrite(room);
    await this.services.reactions.add(this.caller, { room, message, emoji });
  }

  typing(room: string): Promise<void> {
    this.services.typing.announce(this.bot.actor, room);
    return Promise.resolve();
  }

  readState(owner: StateOwner, key: string): Promise<unknown> {
    return this.services.states.read(this.bot.actor.id, owner, key);
  }

  writeState(changes: readonly StateChange[]): Promise<void> {
    return this.services.states.write(this.bot.actor.id, changes);
  }

  report(report: BotReport): void {
    this.services.reporter.report(report);
  }

  /** Waits for the bot's rate; refuses what its scopes do not allow, or what would wait too long. */
  private async mayWrite(room: string): Promise<void> {
    const { rooms, bucket, name } = this.bot;
    if (rooms.get(room)?.has('messages:write') !== true) {
      const message = `The bot ${name} may not write in this room.`;
      throw new ProtocolError('forbidden', { message });
    }
    const deadline = performance.now() + LONGEST_WAIT_MS;
    for (;;) {
      const retryAfterMs = bucket.take();
      if (retryAfterMs === 0) return;
      if (performance.now() + retryAfterMs > deadline) {
        this.report({ bot: name, kind: 'rate', room });
        throw new ProtocolError('rate_limited', { retryAfterMs });
      }
      await delay(retryAfterMs);
    }
  }
}
