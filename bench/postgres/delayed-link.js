import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import { GENERATOR_CORE, nodeOnCore } from '../pinning.js';

const SCRIPT = fileURLToPath(new URL('../load/delay-proxy.js', import.meta.url));

/** Starts and stops a delaying proxy in front of PostgreSQL, pinned beside the load generator. */
export class DelayedLink {
  port = 0;
  #child;

  /**
   * @param {string} host
   * @param {number} port
   * @param {number} roundTripMs
   */
  constructor(host, port, roundTripMs) {
    const args = [SCRIPT, host, String(port), String(roundTripMs / 2)];
    const [command, all] = nodeOnCore(GENERATOR_CORE, args);
    this.#child = spawn(command, all, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  }

  /**
   * @param {string} host name, address, or folder of the socket
   * @param {number} port
   * @param {number} roundTripMs
   */
  static async start(host, port, roundTripMs) {
    const link = new DelayedLink(host, port, roundTripMs);
    const exited = once(link.#child, 'exit').then(() => {
      throw new Error('The link to PostgreSQL exited during the start.');
    });
    const [{ port: own }] = await Promise.race([once(link.#child, 'message'), exited]);
    exited.catch(() => undefined);
    link.port = own;
    return link;
  }

  get pid() {
    return Number(this.#child.pid);
  }

  stop() {
    this.#child.kill('SIGKILL');
  }
}
