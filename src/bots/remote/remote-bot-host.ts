import { ConnectionError, type Chat } from '#client/index.js';

import { DEFAULT_LIMITS } from '../../protocol/limits.js';
import type { Message } from '../../protocol/models.js';
import type {
  BotHost,
  BotMessage,
  BotReport,
  RoomBot,
  StateChange,
  StateEntry,
  StateOwner,
} from '../runtime/bot-host.js';
import type { BotReporter } from '../runtime/bot-reporter.js';
import { isRefusal, orNull } from './refusals.js';

/** What a bot can do from afar: commands of the protocol (P-13.8). */
export class RemoteBotHost implements BotHost {
  constructor(
    private readonly bot: string,
    private readonly chat: Chat,
    private readonly reporter: BotReporter,
  ) {}

  get textChars(): number {
    return (this.chat.welcome?.limits ?? DEFAULT_LIMITS).textChars;
  }

  async send({ notice, ...message }: BotMessage): Promise<Message> {
    const { room, cid } = message;
    const kind = notice === true ? { kind: 'notice' as const } : {};
    try {
      return (await this.chat.send({ ...message, ...kind })).message;
    } catch (error) {
      if (isRefusal(error, 'rate_limited')) this.report({ bot: this.bot, kind: 'rate', room });
      if (!isRefusal(error, 'idempotency_conflict')) throw error;
      // The same event was dealt with before, with another result: that one stands.
      const status = await this.chat.call('message.status', { room, cid });
      if (status.message === undefined) throw error;
      return status.message;
    }
  }

  async edit(room: string, message: string, text: string): Promise<Message> {
    const data = { room, message, text };
    return (await untilAnswered(() => this.chat.call('message.edit', data))).message;
  }

  async react(room: string, message: string, emoji: string): Promise<void> {
    await untilAnswered(() => this.chat.call('message.react', { room, message, emoji }));
  }

  async typing(room: string): Promise<void> {
    try {
      await this.chat.call('typing.set', { room, active: true });
    } catch (error) {
      // Without a connection there is nobody to show it to.
      if (!(error instanceof ConnectionError)) throw error;
    }
  }

  async findMessage(room: string, message: string): Promise<Message | null> {
    const got = await orNull(this.chat.call('message.get', { room, message }), 'not_found');
    return got?.message ?? null;
  }

  async isOwner(room: string, user: string): Promise<boolean> {
    return (await this.chat.call('room.get', { room })).info.owner === user;
  }

  async listBots(room: string): Promise<RoomBot[]> {
    const [{ bots }, { commands }] = await Promise.all([
      this.chat.call('bot.status', { room }),
      this.chat.call('bot.commands', { room }),
    ]);
    const shown = bots.map(({ bot: { id, name }, about }) => {
      return { name, about, commands: commands.filter(({ bot }) => bot.id === id) };
    });
    return shown.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async readState(owner: StateOwner, key: string): Promise<unknown> {
    const { entries } = await this.chat.call('bot.load', { owner, key });
    return entries[0]?.value;
  }

  async listState(owner: StateOwner): Promise<StateEntry[]> {
    const all: StateEntry[] = [];
    for (let hasMore = true; hasMore;) {
      const after = all.at(-1)?.key;
      const from = after === undefined ? {} : { after };
      const page = await this.chat.call('bot.load', { owner, ...from });
      all.push(...page.entries);
      hasMore = page.hasMore;
    }
    return all;
  }

  async writeState(changes: readonly StateChange[]): Promise<void> {
    const wire = changes.map(({ value, ...change }) => ({
      ...change,
      ...(value === undefined ? {} : { value }),
    }));
    await this.chat.call('bot.store', { changes: wire });
  }

  report(report: BotReport): void {
    this.reporter.report(report);
  }
}

/**
 * Sends a command again that was lost with its connection.
 *
 * It may have been carried out; but what it changes is the bot's own, which does one thing in a
 * room at a time, so that twice comes to the same.
 */
async function untilAnswered<T>(send: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await send();
    } catch (error) {
      if (!(error instanceof ConnectionError) || error.code !== 'lost') throw error;
    }
  }
}
