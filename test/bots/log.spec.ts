import { Logger, type LoggerService } from '@nestjs/common';

import { defineChatBot } from '#src/index.js';
import { createBotHarness } from '#src/bots/testing/index.js';

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

test('log lines of a bot include the event and the handler', async () => {
  const harness = await createBotHarness({ bots: [TalkativeBot] });
  const lines: object[] = [];
  const collect = (level: string) => {
    return (line: unknown, ...more: unknown[]): void => {
      lines.push({ level, line, context: more.at(-1) });
    };
  };
  const logger: LoggerService = {
    log: collect('log'),
    error: collect('error'),
    warn: collect('warn'),
  };
  Logger.overrideLogger(logger);
  const ann = await harness.room('hall').user('ann');
  await ann.says('/talk');
  await harness.settled();
  const seq = harness.room('hall').messages()[0]?.seq;
  await harness.close();

  const about = { room: 'hall', seq, handler: '/talk' };
  expect(lines).toEqual([
    {
      level: 'log',
      line: { msg: 'it was asked', ...about, how: 'politely' },
      context: 'Bot talkative',
    },
    {
      level: 'error',
      line: { msg: 'it failed', ...about, err: new Error('on purpose') },
      context: 'Bot talkative',
    },
  ]);
});
