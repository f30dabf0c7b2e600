import { LoopTurns } from '#src/chat/connections/loop-turns.js';

/** Longer than the time for replies in one turn. */
const LONG_MS = 6;

/** Runs `work` with a function that returns the number of event loop turns so far. */
async function countingTurns(work: (turn: () => number) => Promise<void>): Promise<void> {
  let turns = 0;
  let isOver = false;
  const count = (): void => {
    turns++;
    if (!isOver) setImmediate(count);
  };
  count();
  await work(() => turns);
  isOver = true;
}

function compute(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

test('a large reply waits for the next turn of the event loop, in the order of the calls', async () => {
  const turns = new LoopTurns();
  const made: { reply: number; turn: number }[] = [];
  await countingTurns(async (turn) => {
    const reply = async (index: number): Promise<void> => {
      await turns.next();
      // A handler returns through a few promises before its reply is encoded.
      for (let depth = 0; depth < 10; depth++) await Promise.resolve();
      compute(LONG_MS);
      made.push({ reply: index, turn: turn() });
    };
    await Promise.all([0, 1, 2, 3].map(reply));
  });

  expect(made.map(({ reply }) => reply)).toEqual([0, 1, 2, 3]);
  expect(new Set(made.map(({ turn }) => turn)).size).toBe(4);
});

test('separate replies in one turn share its time', async () => {
  const turns = new LoopTurns();
  const made: number[] = [];
  await countingTurns(async (turn) => {
    const reply = async (): Promise<void> => {
      await turns.next();
      compute(LONG_MS);
      made.push(turn());
    };
    const first = reply();
    await first;
    await Promise.all([reply(), reply()]);
  });

  expect(new Set(made).size).toBe(3);
});
