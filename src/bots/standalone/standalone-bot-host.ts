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
} from '../kit/bot-host.js';
import type { BotReporter } from '../kit/bot-reporter.js';
import { isRefusal, orNull } from './refusals.js';

/** Acts for a bot by sending commands to the server (P-13.8). */
export class StandaloneBotHost implements BotHost {
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
      // The event was handled before with another result, which is kept.
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
      // Typing is not worth a retry after a lost connection.
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
 * Sends a command again if it was lost with its connection.
 *
 * The server may have executed it already; running it twice has the same effect, because only the
 * bot changes this data, and it does one thing per room at a time.
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
