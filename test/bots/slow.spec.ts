import { defineChatBot } from '#src/index.js';
import { createBotHarness } from '#src/bots/testing/index.js';

/** Longer than the synchronous work that is not reported. */
const BUSY_MS = 60;

test('a handler that blocks the event loop is reported', async () => {
  const bot = defineChatBot({
    name: 'busy',
    commands: {
      count: {
        help: '/count',
        run: () => {
          const end = performance.now() + BUSY_MS;
          while (performance.now() < end);
          return 'done';
        },
      },
    },
  });
  const harness = await createBotHarness({ bots: [bot] });
  const ann = await harness.room('hall').user('ann');
  await ann.says('/count');
  await harness.settled();
  await harness.close();

  expect(harness.room('hall').transcript()).toEqual(['ann: /count', 'busy: done']);
  expect(harness.reports).toMatchObject([{ bot: 'busy', kind: 'slow', handler: '/count' }]);
  expect(harness.reports[0]?.ms).toBeGreaterThanOrEqual(BUSY_MS);
});
