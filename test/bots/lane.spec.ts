import { Reader } from '#src/database/reader.js';
import { ProtocolError } from '#src/protocol/errors.js';
import { defineChatBot } from '#src/index.js';
import { createBotHarness } from '#src/harness/index.js';

/** More than wait in memory for a bot. */
const MESSAGES = 80;

test('a bot that is behind gets what could not be read at first, in order', async () => {
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

  // No program can have one read fail: it is the database that does.
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
