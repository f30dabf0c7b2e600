import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { parseArgs } from 'node:util';

import { ScratchPostgres } from '../support/scratch-services/scratch-postgres.js';
import { makeScratchFolder } from '../support/scratch-folder.js';
import { chaos, type RoundReport } from './workload/chaos.js';
import { startBus } from './workload/chaos-bus.js';

const SHOWN_VIOLATIONS = 20;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '10' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    nodes: { type: 'string', default: '1' },
    bus: { type: 'string', default: 'nats' },
    pause: { type: 'string', default: '1200' },
  },
});

function line({ seed, tookMs, faults, ...counts }: RoundReport): string {
  const { acknowledged, unknown, refused, connections, violations } = counts;
  return (
    `seed ${String(seed)}, ${String(tookMs)} ms: ${faults.join(', ')}; ` +
    `${String(acknowledged)} acknowledged, ${String(refused)} refused, ${String(unknown)} unknown, ` +
    `${String(connections)} connections, ${String(violations.length)} violations`
  );
}

/** Settings of Parlance in the environment, such as PARLANCE_BUS, apply to every node. */
function givenSettings(): Record<string, string> {
  const given = Object.entries(process.env).filter(([name]) => name.startsWith('PARLANCE_'));
  return Object.fromEntries(given.map(([name, value]) => [name, value ?? '']));
}

const folder = await makeScratchFolder();
const postgres = await ScratchPostgres.start();
const nodes = Number(values.nodes);
const bus = nodes > 1 ? await startBus(values.bus) : undefined;
const shared =
  bus === undefined
    ? {}
    : {
        PARLANCE_BUS: bus.url,
        PARLANCE_TOKEN_KEYS: `k1:${randomBytes(32).toString('base64')}`,
        PARLANCE_FILES_DIR: folder,
      };
const violations: string[] = [];
try {
  const reports = await chaos({
    rounds: Number(values.rounds),
    seed: Number(values.seed),
    nodes,
    services: { PostgreSQL: postgres, ...(bus?.service === undefined ? {} : { bus: bus.service }) },
    pauseMs: Number(values.pause),
    env: {
      DATABASE_URL: postgres.url(),
      PARLANCE_DATA_DIR: folder,
      ...shared,
      ...givenSettings(),
    },
    onRound: (round) => console.log(line(round)),
  });
  violations.push(...reports.flatMap((round) => round.violations));
} finally {
  await bus?.service?.dispose();
  await postgres.dispose();
  await rm(folder, { recursive: true, force: true });
}
for (const violation of violations.slice(0, SHOWN_VIOLATIONS)) console.error(violation);
process.exit(violations.length > 0 ? 1 : 0);
