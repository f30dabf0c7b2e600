import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { ATTACKS } from './attacks.js';
import { Bystander, percentile } from './bystander.js';

const ATTACKER = fileURLToPath(new URL('attacker.js', import.meta.url));

/**
 * The effect of one attack on other clients.
 *
 * @typedef {object} Damage
 * @property {string} name of the attack
 * @property {number} calmP99 99th percentile of the pings before the attack, in milliseconds
 * @property {number} p99 99th percentile of the pings during the attack, in milliseconds
 * @property {import('./attacks.js').Count} count accepted and refused requests of the attacker
 * @property {number} bytes memory of the server after the attack, as `readBytes` returns it
 */

/**
 * Runs each attack from a new address while clients at other addresses ping.
 *
 * The server must have the default limits and trust a proxy on this machine.
 *
 * @param {number} port
 * @param {{ calmMs: number, attackMs: number, readBytes: () => number }} plan
 */
export async function besiege(port, { calmMs, attackMs, readBytes }) {
  const attacker = fork(ATTACKER, { execArgv: [] });
  const bystander = await Bystander.connect(port);
  /** @type {Damage[]} */
  const damages = [];
  try {
    await bystander.ping(calmMs);
    for (const { name } of ATTACKS) {
      await request(attacker, 'setUp', { name, port });
      const calm = await bystander.ping(calmMs);
      await request(attacker, 'start', { name, port });
      const pings = await bystander.ping(attackMs);
      const bytes = readBytes();
      const count = await request(attacker, 'stop', { name, port });
      damages.push({
        name,
        calmP99: percentile(calm, 0.99),
        p99: percentile(pings, 0.99),
        count,
        bytes,
      });
    }
  } finally {
    bystander.close();
    attacker.kill();
  }
  return damages;
}

/**
 * @param {import('node:child_process').ChildProcess} attacker
 * @param {string} operation
 * @param {{ name: string, port: number }} plan
 * @returns {Promise<any>}
 */
function request(attacker, operation, plan) {
  return new Promise((resolve, reject) => {
    attacker.once('message', (/** @type {{ result?: unknown, error?: string }} */ message) => {
      if (message.error === undefined) resolve(message.result);
      else reject(new Error(`${plan.name}: ${message.error}`));
    });
    attacker.send({ operation, plan });
  });
}
