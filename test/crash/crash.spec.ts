import { seedFrom } from '../support/random.js';
import { makeDiskFolder } from '../support/scratch-folder.js';
import { dropDatabase, freshDatabase } from '../support/server.js';
import { crash } from './crash.js';

/** Each round starts a server; `npm run crash -- --rounds N` plays more. */
const ROUNDS = 10;

test(`${String(ROUNDS)} kills under load lose and duplicate no acknowledged write`, async () => {
  const database = await freshDatabase(await makeDiskFolder());
  const report = await crash({ rounds: ROUNDS, seed: seedFrom('CRASH_SEED'), database });
  await dropDatabase(database);
  const seen = `seed ${String(report.seed)}\n${report.violations.slice(0, 20).join('\n')}`;
  expect(seen).toBe(`seed ${String(report.seed)}\n`);
  expect(report.rounds).toBe(ROUNDS);
  expect(report.kills).toBeGreaterThanOrEqual(ROUNDS);
  expect(report.acknowledged).toBeGreaterThan(ROUNDS * 6);
  expect(report.resumed).toBeGreaterThan(0);
}, 240_000);
