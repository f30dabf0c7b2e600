import type { Type } from '@nestjs/common';

import {
  createBotHarness,
  type HarnessTransport,
  HARNESS_TRANSPORTS,
} from '#src/bots/testing/index.js';
import { DiceBot } from '#src/bots/built-in/dice.bot.js';
import { defineChatBot } from '#src/bots/kit/define-chat-bot.js';

function bot(name: string, ...commands: readonly string[]): Type {
  const entries = commands.map((command) => {
    return [command, { help: `/${command}`, run: () => `${name} here` }] as const;
  });
  return defineChatBot({ name, commands: Object.fromEntries(entries) });
}

/** Starts a server with bots; returns their answers to a text. */
async function answersTo(
  text: string,
  bots: readonly Type[],
  settings: Readonly<Record<string, string>> = {},
  transport: HarnessTransport = 'in-process',
): Promise<string[]> {
  const harness = await createBotHarness({ bots, settings, transport });
  try {
    const ann = await harness.room('hall').user('ann');
    await ann.says(text);
    await harness.settled();
    return harness.room('hall').transcript().slice(1);
  } finally {
    await harness.close();
  }
}

test('a bot replaces the built-in bot of the same name', async () => {
  expect(await answersTo('/roll', [bot('dice', 'roll')])).toEqual(['dice: dice here']);
  expect(await answersTo('/toss', [bot('dice', 'toss')])).toEqual(['dice: dice here']);
});

test('a bot replaces an instance of the built-in bot', async () => {
  expect(await answersTo('/roll', [bot('dice', 'roll'), DiceBot])).toEqual(['dice: dice here']);
});

test('a command of a built-in bot is refused with a hint', async () => {
  const started = answersTo('/roll', [bot('casino', 'roll')]);
  await expect(started).rejects.toThrow(
    /The command \/roll belongs to the bot \w+ and to \w+, and dice ships with the server: rename your command, or leave that bot out with PARLANCE_WITHOUT_BOTS=dice\./,
  );
});

test('the commands of a built-in bot that is left out are free', async () => {
  const settings = { PARLANCE_WITHOUT_BOTS: 'dice,poll' };
  const bots = [bot('casino', 'roll', 'poll')];
  expect(await answersTo('/roll', bots, settings)).toEqual(['casino: casino here']);
});

test('only built-in bots can be left out', async () => {
  await expect(answersTo('/x', [bot('x', 'x')], { PARLANCE_WITHOUT_BOTS: 'x' })).rejects.toThrow(
    'PARLANCE_WITHOUT_BOTS names x, which is not a built-in bot: use dice, help, poll, remind, welcome.',
  );
});

test.each(HARNESS_TRANSPORTS)(
  'two bots with one name or one command are refused over %s',
  async (transport) => {
    await expect(answersTo('/a', [bot('x', 'a'), bot('x', 'b')], {}, transport)).rejects.toThrow(
      'Two bots are named x: rename one of them.',
    );
    await expect(answersTo('/a', [bot('x', 'a'), bot('y', 'a')], {}, transport)).rejects.toThrow(
      'The command /a belongs to the bot x and to y: rename one of them.',
    );
  },
);

test.each(['websocket', 'socket.io'] as const)(
  'a standalone bot over %s cannot have a command of a bot of the server',
  async (transport) => {
    await expect(answersTo('/roll', [bot('casino', 'roll')], {}, transport)).rejects.toThrow(
      'The command /roll belongs to the bot dice.',
    );
  },
);
