import { parseArgs } from 'node:util';

import { makeDiskFolder } from '../support/scratch-folder.js';
import { dropDatabase, freshDatabase } from '../support/server.js';
import { crash, type CrashReport } from './crash.js';

const EVERY = 10;
const SHOWN_VIOLATIONS = 20;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '20' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 32)) },
    database: { type: 'string', default: 'sqlite' },
  },
});

function line({ rounds, kills, acknowledged, resumed, behind, violations }: CrashReport): string {
  const ways = `${String(resumed)} resumed, ${String(behind)} replayed`;
  return (
    `${String(rounds)} rounds, ${String(kills)} kills, ${String(acknowledged)} acknowledged ` +
    `(rooms ${ways}), ${String(violations.length)} violations`
  );
}

process.env['TEST_DATABASE'] = values.database;
const database = await freshDatabase(await makeDiskFolder());
console.log(`Killing the server on ${values.database}, seed ${values.seed}.`);
const report = await crash({
  rounds: Number(values.rounds),
  seed: Number(values.seed),
  database,
  onRound: (soFar) => {
    if (soFar.rounds % EVERY === 0) console.log(line(soFar));
  },
});
await dropDatabase(database);
for (const violation of report.violations.slice(0, SHOWN_VIOLATIONS)) console.error(violation);
console.log(`Seed ${String(report.seed)}: ${line(report)}.`);
process.exit(report.violations.length === 0 ? 0 : 1);
