import { setTimeout as sleep } from 'node:timers/promises';

import { Client } from './client.js';

const PACE_MS = 5;
/** Enough connections to stay within the command rate of each at this pace. */
const CONNECTIONS = 12;

/** Clients at other addresses that ping the server and measure the response time. */
export class Bystander {
  /** @param {Client[]} clients */
  constructor(clients) {
    this.clients = clients;
  }

  /** @param {number} port */
  static async connect(port) {
    const addresses = Array.from({ length: CONNECTIONS }, (_, index) => `198.51.100.${index + 1}`);
    return new Bystander(
      await Promise.all(addresses.map((address) => Client.greet({ port, address }))),
    );
  }

  /**
   * Pings at a steady pace, without waiting for replies; returns the sorted response times in ms.
   *
   * @param {number} ms duration
   */
  async ping(ms) {
    const pings = [];
    const start = performance.now();
    for (let index = 0; performance.now() - start < ms; index++) {
      pings.push(this.#ping(this.clients[index % CONNECTIONS]));
      await sleep(PACE_MS);
    }
    return (await Promise.all(pings)).sort((one, other) => one - other);
  }

  close() {
    for (const client of this.clients) client.close();
  }

  /** @param {Client} client */
  async #ping(client) {
    const began = performance.now();
    const { ok, error } = await client.call('session.ping');
    if (!ok) throw new Error(`A ping failed: ${JSON.stringify(error)}`);
    return performance.now() - began;
  }
}

/**
 * Returns a percentile of sorted values.
 *
 * @param {readonly number[]} sorted
 * @param {number} share
 */
export function percentile(sorted, share) {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}
