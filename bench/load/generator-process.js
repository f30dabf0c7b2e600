import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import { GENERATOR_CORE, nodeOnCore } from '../pinning.js';

const SCRIPT = fileURLToPath(new URL('generator.js', import.meta.url));

/** Starts and controls the load generator process. */
export class GeneratorProcess {
  #killOnExit = () => this.#child.kill('SIGKILL');
  #child = this.#spawn();

  /** @param {import('./crowd.js').CrowdPlan} plan */
  async open(plan) {
    await this.#ask('open', plan);
  }

  /**
   * @param {import('./trial.js').TrialPlan} plan
   * @returns {Promise<import('./trial.js').TrialResult>}
   */
  async trial(plan) {
    return this.#ask('trial', plan);
  }

  /** @returns {Promise<{ lost: number, firstError: string }>} */
  async check() {
    return this.#ask('check', null);
  }

  async close() {
    await this.#ask('close', null);
  }

  stop() {
    process.off('exit', this.#killOnExit);
    this.#child.kill('SIGKILL');
  }

  /**
   * @param {string} name
   * @param {unknown} plan
   */
  async #ask(name, plan) {
    this.#child.send({ name, plan });
    const answered = new AbortController();
    const { signal } = answered;
    const [{ error, result }] = await Promise.race([
      once(this.#child, 'message', { signal }),
      once(this.#child, 'exit', { signal }).then(() => [
        { error: 'the load generator exited', result: null },
      ]),
    ]);
    // Removes the listener that lost the race.
    answered.abort();
    if (error !== undefined) throw new Error(`${name}: ${error}`);
    return result;
  }

  #spawn() {
    const [command, args] = nodeOnCore(GENERATOR_CORE, [SCRIPT]);
    process.once('exit', this.#killOnExit);
    return spawn(command, args, {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      serialization: 'advanced',
    });
  }
}
