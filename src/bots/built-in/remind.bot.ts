import { z } from 'zod';

import type { BotAlarm } from '../kit/bot-alarms.js';
import type { BotContext } from '../kit/bot-context.js';
import { Args, ChatBot, Ctx, OnAlarm, OnCommand } from '../kit/chat-bot.decorator.js';

const UNITS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const MAX_REMINDERS = 20;
const LONGEST_MS = 366 * 86_400_000;
const USAGE = 'Write /remind me in 10m tea, /remind list, or /remind cancel 1.';
const RemindArgs = z.string().regex(/^(list|cancel\s+\d+|(me\s+)?in\s+\S+\s+\S[^]*)$/i, USAGE);

interface Reminder {
  readonly user: string;
  readonly name: string;
  readonly text: string;
}

/** Reminds people of things. */
@ChatBot({ name: 'remind', about: 'Reminds you of things.' })
export class RemindBot {
  @OnCommand('remind', {
    args: RemindArgs,
    help: '/remind me in 10m tea (s, m, h, d); /remind list; /remind cancel 1',
  })
  async remind(@Ctx() bot: BotContext, @Args() args: string): Promise<string> {
    const [, number] = /^cancel\s+(\d+)$/i.exec(args) ?? [];
    const own = await this.remindersOf(bot);
    if (number !== undefined) return this.cancel(bot, own[Number(number) - 1]);
    return /^list$/i.test(args) ? this.list(bot, own) : this.set(bot, own, args);
  }

  @OnAlarm()
  due(@Args() { value }: BotAlarm<Reminder>): string {
    return `⏰ @${value.name}: ${value.text}`;
  }

  private set(bot: BotContext, own: readonly BotAlarm[], args: string): string {
    const { author, message } = bot;
    if (author === null || message === null) return '';
    const [, duration = '', text = ''] = /^(?:me\s+)?in\s+(\S+)\s+([^]+)$/i.exec(args) ?? [];
    const ms = parseDuration(duration);
    if (ms === null) return `"${duration}" is not a duration: write 30s, 10m, 1h30m or 2d.`;
    if (ms === 0 || ms > LONGEST_MS) return 'A reminder must be at most a year away, and not now.';
    if (own.length >= MAX_REMINDERS)
      return `You have ${String(MAX_REMINDERS)} reminders here: cancel one first.`;
    const reminder: Reminder = { user: author.id, name: author.name, text };
    bot.alarms.set(message.id, bot.now + ms, reminder);
    return `I will remind you in ${formatDuration(ms)}.`;
  }

  private list(bot: BotContext, own: readonly BotAlarm<Reminder>[]): string {
    if (own.length === 0) return 'You have no reminders here.';
    const lines = own.map(({ at, value }, index) => {
      return `${String(index + 1)}. in ${formatDuration(at - bot.now)}: ${value.text}`;
    });
    return lines.join('\n');
  }

  private cancel(bot: BotContext, reminder: BotAlarm<Reminder> | undefined): string {
    if (reminder === undefined) return 'There is no such reminder: see /remind list.';
    bot.alarms.clear(reminder.key);
    return `Cancelled: ${reminder.value.text}`;
  }

  private async remindersOf(bot: BotContext): Promise<BotAlarm<Reminder>[]> {
    const all = await bot.alarms.list<Reminder>();
    return all.filter(({ value }) => value.user === bot.author?.id);
  }
}

/** Parses a duration such as `10m` or `1h30m` to milliseconds; returns null if it is invalid. */
export function parseDuration(text: string): number | null {
  if (!/^(\d{1,6}[smhd])+$/i.test(text)) return null;
  const parts = [...text.toLowerCase().matchAll(/(\d+)([smhd])/g)];
  return parts.reduce((sum, [, n, unit]) => sum + Number(n) * UNITS[unit as keyof typeof UNITS], 0);
}

/** Formats a duration in milliseconds by its two largest units, such as `1h 30m`. */
export function formatDuration(ms: number): string {
  let rest = Math.max(1_000, Math.round(ms / 1_000) * 1_000);
  const parts: string[] = [];
  for (const [unit, length] of Object.entries(UNITS).toReversed()) {
    const count = Math.floor(rest / length);
    if (count > 0) parts.push(`${String(count)}${unit}`);
    rest -= count * length;
  }
  return parts.slice(0, 2).join(' ');
}
