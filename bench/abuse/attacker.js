// The attacker: a separate process that `besiege` controls over IPC.
import { setPriority } from 'node:os';

import { ATTACKS, CONNECTIONS } from './attacks.js';

// A low priority, so that the server and the bystanders do not wait for a core.
setPriority(10);

/** @type {import('./attacks.js').Scene} */
const scene = { port: 0 };
/** The set-up functions that have run; attacks share what they create. */
const ready = new Set();
/** @type {import('./attacks.js').Count} */
let count = { done: 0, refused: {}, bytes: 0 };
let isOver = false;
/** @type {Promise<unknown>} */
let lanes = Promise.resolve();

/** @param {string} name */
function find(name) {
  const attack = ATTACKS.find((one) => one.name === name);
  if (attack === undefined) throw new Error(`Unknown attack: ${name}.`);
  return attack;
}

/** @type {Record<string, (plan: { name: string, port: number }) => Promise<unknown>>} */
const operations = {
  async setUp({ name, port }) {
    scene.port = port;
    const { setUp } = find(name);
    if (setUp === undefined || ready.has(setUp)) return;
    ready.add(setUp);
    await setUp(scene);
  },
  async start({ name }) {
    count = { done: 0, refused: {}, bytes: 0 };
    isOver = false;
    const attack = find(name);
    const lane = (/** @type {number} */ index) => ({
      ...scene,
      // A new address for each attack, so that each starts with full rate limits.
      address: `203.0.113.${ATTACKS.indexOf(attack) + 1}`,
      index,
      count,
      get isOver() {
        return isOver;
      },
    });
    const run = (/** @type {number} */ index) => attack.run(lane(index)).catch(recordFailure);
    lanes = Promise.all(Array.from({ length: CONNECTIONS }, (_, index) => run(index)));
  },
  async stop() {
    isOver = true;
    await lanes;
    return count;
  },
};

/** Counts a lost connection as a refusal: disconnecting an attacker is a correct response. */
function recordFailure(/** @type {unknown} */ error) {
  const reason = error instanceof Error ? error.message : String(error);
  count.refused[reason] = (count.refused[reason] ?? 0) + 1;
}

process.on('message', async (/** @type {{ operation: string, plan: any }} */ message) => {
  const { operation, plan } = message;
  try {
    process.send?.({ result: await operations[operation](plan) });
  } catch (error) {
    process.send?.({ error: error instanceof Error ? error.message : String(error) });
  }
});
process.on('disconnect', () => process.exit());
