import { defineChatBot } from '#src/index.js';
import { createBotHarness } from '#src/harness/index.js';

/** Longer than a handler may hold up everybody else unnoticed. */
const BUSY_MS = 60;

test('a handler that holds up everybody else is named in the reports', async () => {
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
