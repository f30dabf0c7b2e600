import { Logger, type LoggerService } from '@nestjs/common';

import { defineChatBot } from '#src/index.js';
import { createBotHarness } from '#src/harness/index.js';

const TalkativeBot = defineChatBot({
  name: 'talkative',
  commands: {
    talk: {
      help: '/talk',
      run: (bot) => {
        bot.log.info('it was asked', { how: 'politely' });
        bot.log.error('it failed', { err: new Error('on purpose') });
      },
    },
  },
});

afterEach(() => {
  Logger.overrideLogger(false);
});

test('a bot writes lines into the log that tell what they are about', async () => {
  const harness = await createBotHarness({ bots: [TalkativeBot] });
  const lines: unknown[][] = [];
  const take = (level: string) => {
    return (line: unknown, ...more: unknown[]): void => {
      lines.push([level, line, more.at(-1)]);
    };
  };
  const logger: LoggerService = { log: take('log'), error: take('error'), warn: take('warn') };
  Logger.overrideLogger(logger);
  const ann = await harness.room('hall').user('ann');
  await ann.says('/talk');
  await harness.settled();
  const seq = harness.room('hall').messages()[0]?.seq;
  await harness.close();

  const about = { room: 'hall', seq, handler: '/talk' };
  expect(lines).toEqual([
    ['log', { msg: 'it was asked', ...about, how: 'politely' }, 'Bot talkative'],
    ['error', { msg: 'it failed', ...about, err: new Error('on purpose') }, 'Bot talkative'],
  ]);
});
