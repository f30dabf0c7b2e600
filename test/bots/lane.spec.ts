import { Reader } from '#src/database/reader.js';
import { ProtocolError } from '#src/protocol/errors.js';
import { defineChatBot } from '#src/index.js';
import { createBotHarness } from '#src/bots/testing/index.js';

/** More messages than a lane keeps in memory. */
const MESSAGES = 80;

test('a lane that is behind retries a failed read, and keeps the order', async () => {
  let release = (): void => undefined;
  const gate = new Promise<void>((resolve) => (release = resolve));
  const seen: string[] = [];
  const bot = defineChatBot({
    name: 'slow',
    scopes: ['messages:read', 'messages:write'],
    hears: [
      {
        pattern: /./,
        when: 'all',
        run: async ({ text }) => {
          await gate;
          seen.push(text);
        },
      },
    ],
  });
  const harness = await createBotHarness({ bots: [bot] });
  const ann = await harness.room('hall').user('ann');
  const texts = Array.from({ length: MESSAGES }, (_, index) => `n ${String(index)}`);
  for (const text of texts) await ann.says(text);

  // Lets one read fail, as only the database can.
  const { snapshot } = Reader.prototype;
  Reader.prototype.snapshot = () => {
    Reader.prototype.snapshot = snapshot;
    return Promise.reject(new ProtocolError('unavailable'));
  };
  release();
  await harness.settled();
  await harness.close();

  expect(seen).toEqual(texts);
  expect(harness.reports.map(({ kind }) => kind)).toEqual(['error']);
});
