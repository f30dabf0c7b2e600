import type { Type } from '@nestjs/common';

import { createBotHarness, type Over } from '#src/harness/index.js';
import { DiceBot } from '#src/bots/dice/dice.bot.js';
import { defineChatBot } from '#src/bots/runtime/define-chat-bot.js';

import { OVER } from './over.js';

function bot(name: string, ...commands: readonly string[]): Type {
  const entries = commands.map((command) => {
    return [command, { help: `/${command}`, run: () => `${name} here` }] as const;
  });
  return defineChatBot({ name, commands: Object.fromEntries(entries) });
}

/** Starts a server with bots; gives what they say to a text. */
async function answersTo(
  text: string,
  bots: readonly Type[],
  settings: Readonly<Record<string, string>> = {},
  over: Over = 'process',
): Promise<string[]> {
  const harness = await createBotHarness({ bots, settings, over });
  try {
    const ann = await harness.room('hall').user('ann');
    await ann.says(text);
    await harness.settled();
    return harness.room('hall').transcript().slice(1);
  } finally {
    await harness.close();
  }
}

test('a bot takes the place of a built-in one of the same name', async () => {
  expect(await answersTo('/roll', [bot('dice', 'roll')])).toEqual(['dice: dice here']);
  expect(await answersTo('/toss', [bot('dice', 'toss')])).toEqual(['dice: dice here']);
});

test('a bot takes the place of an instance of a built-in one', async () => {
  expect(await answersTo('/roll', [bot('dice', 'roll'), DiceBot])).toEqual(['dice: dice here']);
});

test('a command of a built-in bot is refused, with what can be done', async () => {
  const started = answersTo('/roll', [bot('casino', 'roll')]);
  await expect(started).rejects.toThrow(
    /The command \/roll belongs to the bot \w+ and to \w+, and dice comes with the server: give your command another name, or leave that bot out by PARLANCE_WITHOUT_BOTS=dice\./,
  );
});

test('a built-in bot that is left out is in nobody’s way', async () => {
  const settings = { PARLANCE_WITHOUT_BOTS: 'dice,poll' };
  const bots = [bot('casino', 'roll', 'poll')];
  expect(await answersTo('/roll', bots, settings)).toEqual(['casino: casino here']);
});

test('only built-in bots can be left out', async () => {
  await expect(answersTo('/x', [bot('x', 'x')], { PARLANCE_WITHOUT_BOTS: 'x' })).rejects.toThrow(
    'PARLANCE_WITHOUT_BOTS names x, which is no built-in bot: use dice, help, poll, remind, welcome.',
  );
});

test.each(OVER)('two bots of one name or one command are refused over %s', async (over) => {
  await expect(answersTo('/a', [bot('x', 'a'), bot('x', 'b')], {}, over)).rejects.toThrow(
    'Two bots are named x: rename one of them.',
  );
  await expect(answersTo('/a', [bot('x', 'a'), bot('y', 'a')], {}, over)).rejects.toThrow(
    'The command /a belongs to the bot x and to y: give one of them another name.',
  );
});

test.each(['websocket', 'socket.io'] as const)(
  'a program over %s is refused a command that a bot of the server has',
  async (over) => {
    await expect(answersTo('/roll', [bot('casino', 'roll')], {}, over)).rejects.toThrow(
      'The command /roll belongs to the bot dice.',
    );
  },
);
