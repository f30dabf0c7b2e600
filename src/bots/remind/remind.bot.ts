import { z } from 'zod';

import type { BotAlarm } from '../runtime/bot-alarms.js';
import type { BotContext } from '../runtime/bot-context.js';
import { Args, ChatBot, Ctx, OnAlarm, OnCommand } from '../runtime/chat-bot.decorator.js';
import { formatDuration, parseDuration } from './duration.js';

const MOST = 20;
const LONGEST_MS = 366 * 86_400_000;
const USAGE = 'Say /remind me in 10m tea, /remind list, or /remind cancel 1.';
const RemindArgs = z.string().regex(/^(list|cancel\s+\d+|(me\s+)?in\s+\S+\s+\S[^]*)$/i, USAGE);

interface Reminder {
  readonly user: string;
  readonly name: string;
  readonly text: string;
}

/** Reminds people of what they asked it to. */
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
    if (ms === null) return `"${duration}" is no duration: write 30s, 10m, 1h30m or 2d.`;
    if (ms === 0 || ms > LONGEST_MS) return 'I remind you within a year, and not at once.';
    if (own.length >= MOST) return `You have ${String(MOST)} reminders here: cancel one first.`;
    const reminder: Reminder = { user: author.id, name: author.name, text };
    bot.alarms.set(message.id, bot.now + ms, reminder);
    return `I remind you in ${formatDuration(ms)}.`;
  }

  private list(bot: BotContext, own: readonly BotAlarm<Reminder>[]): string {
    if (own.length === 0) return 'You have no reminders here.';
    const lines = own.map(({ at, value }, index) => {
      return `${String(index + 1)}. in ${formatDuration(at - bot.now)}: ${value.text}`;
    });
    return lines.join('\n');
  }

  private cancel(bot: BotContext, reminder: BotAlarm<Reminder> | undefined): string {
    if (reminder === undefined) return 'You have no such reminder here: see /remind list.';
    bot.alarms.clear(reminder.key);
    return `I do not remind you of this any more: ${reminder.value.text}`;
  }

  private async remindersOf(bot: BotContext): Promise<BotAlarm<Reminder>[]> {
    const all = await bot.alarms.list<Reminder>();
    return all.filter(({ value }) => value.user === bot.author?.id);
  }
}
