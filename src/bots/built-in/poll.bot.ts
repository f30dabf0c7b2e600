import { z } from 'zod';

import type { Message } from '../../protocol/models.js';
import { isBlank } from '../../protocol/names.js';
import type { BotAlarm } from '../kit/bot-alarms.js';
import type { BotContext } from '../kit/bot-context.js';
import { Args, ChatBot, Ctx, OnAlarm, OnCommand, OnRoom } from '../kit/chat-bot.decorator.js';

const EMOJI = ['1️⃣', '2️⃣', '3️⃣', '4️⃣', '5️⃣', '6️⃣', '7️⃣', '8️⃣', '9️⃣'] as const;
const SHOW_EVERY_MS = 1_000;
const OPEN_MS = 86_400_000;
const USAGE = 'Write a question and 2 to 9 answers, such as /poll "Lunch?" pizza sushi.';
const Seen = z.string().refine((text) => !isBlank(text), USAGE);
const PollArgs = z.array(Seen).min(3, USAGE).max(10, USAGE);

interface Poll {
  readonly question: string;
  readonly answers: readonly string[];
}

interface Due {
  readonly poll: string;
  readonly isOver: boolean;
}

/** Asks the room a question; people vote with reactions, and the message shows the result. */
@ChatBot({
  name: 'poll',
  about: 'Asks the room a question.',
  scopes: ['messages:addressed', 'messages:write', 'reactions:read'],
})
export class PollBot {
  @OnCommand('poll', { args: PollArgs, help: '/poll "Lunch?" pizza sushi' })
  async ask(@Ctx() bot: BotContext, @Args() [question = '', ...answers]: string[]): Promise<void> {
    const poll: Poll = { question, answers };
    const message = await bot.say(render(poll, [], false));
    bot.state.room.set(message.id, poll);
    bot.alarms.set(`over:${message.id}`, bot.now + OPEN_MS, { poll: message.id, isOver: true });
    for (const emoji of EMOJI.slice(0, answers.length)) await bot.react(emoji, message);
  }

  @OnRoom('reaction.added')
  added(@Ctx() bot: BotContext): Promise<void> {
    return this.showSoon(bot);
  }

  @OnRoom('reaction.removed')
  removed(@Ctx() bot: BotContext): Promise<void> {
    return this.showSoon(bot);
  }

  @OnAlarm()
  async show(@Ctx() bot: BotContext, @Args() { value }: BotAlarm<Due>): Promise<void> {
    const poll = await bot.state.room.get<Poll>(value.poll);
    const message = await bot.find(value.poll);
    const isGone = message === null || message.deletedAt !== undefined;
    if (poll !== undefined && !isGone) {
      await bot.edit(message, render(poll, count(poll, message), value.isOver));
    }
    if (isGone || value.isOver) bot.state.room.delete(value.poll);
  }

  /** Shows all votes of a second with one edit: their alarms have the same time. */
  private async showSoon(bot: BotContext): Promise<void> {
    const { data } = bot.event;
    const poll = 'message' in data && typeof data.message === 'string' ? data.message : '';
    if ((await bot.state.room.get(poll)) === undefined) return;
    const at = (Math.floor(bot.now / SHOW_EVERY_MS) + 1) * SHOW_EVERY_MS;
    bot.alarms.set(poll, at, { poll, isOver: false });
  }
}

/** Counts the votes for each answer, without the bot's own reactions. */
function count({ answers }: Poll, { reactions, sender }: Message): number[] {
  return answers.map((_, index) => {
    const users = reactions.find(({ emoji }) => emoji === EMOJI[index])?.users ?? [];
    return users.filter((user) => user !== sender.id).length;
  });
}

function render({ question, answers }: Poll, votes: readonly number[], isOver: boolean): string {
  const lines = answers.map((answer, index) => {
    return `${EMOJI[index] ?? ''} ${answer}: ${String(votes[index] ?? 0)}`;
  });
  return [`📊 ${question}${isOver ? ' (over)' : ''}`, ...lines].join('\n');
}
