import { seedFrom } from '../support/random.js';
import { dropDatabase, freshDatabase, testDatabase } from '../support/server.js';
import { chaos } from './workload/chaos.js';

const ROUNDS = 2;
const onPostgres = testDatabase() === 'postgres' ? test : test.skip;

onPostgres(
  `${String(ROUNDS)} rounds of faults at one node break no guarantee`,
  async () => {
    const env = await freshDatabase();
    const reports = await chaos({ rounds: ROUNDS, seed: seedFrom('CHAOS_SEED'), nodes: 1, env });
    await dropDatabase(env);

    const found = reports.map(({ seed, faults, violations }) => ({ seed, faults, violations }));
    expect(found).toEqual(found.map((round) => ({ ...round, violations: [] })));
    const acknowledged = reports.reduce((sum, report) => sum + report.acknowledged, 0);
    expect(acknowledged).toBeGreaterThan(ROUNDS * 6);
  },
  240_000,
);
