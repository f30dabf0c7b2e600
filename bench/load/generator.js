// The load generator: a separate process on its own core, controlled over IPC.
import { Crowd } from './crowd.js';
import { runTrial } from './trial.js';

/** @type {Crowd | null} */
let crowd = null;

/** @type {Record<string, (plan: any) => unknown>} */
const operations = {
  async open(plan) {
    crowd = new Crowd(plan);
    await crowd.open();
    return null;
  },
  trial: (plan) => runTrial(getCrowd(), plan),
  check: () => ({ lost: getCrowd().tally.lost, firstError: getCrowd().tally.firstError }),
  close() {
    crowd?.close();
    crowd = null;
    return null;
  },
};

process.on('message', async (/** @type {{ name: string, plan: unknown }} */ { name, plan }) => {
  try {
    process.send?.({ result: await operations[name](plan) });
  } catch (error) {
    process.send?.({ error: error instanceof Error ? error.message : String(error) });
  }
});
process.on('disconnect', () => process.exit());

function getCrowd() {
  if (crowd === null) throw new Error('No crowd is open.');
  return crowd;
}
