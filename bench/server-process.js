import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { nodeOnCore, SERVER_CORE } from './pinning.js';
import { PostgresSchema } from './postgres/postgres-schema.js';

const START_TIMEOUT_MS = 20_000;
const KEPT_OUTPUT = 4_000;
const UNLIMITED = '1000000';
const LIFTED_LIMITS = [
  'MESSAGES_PER_SECOND',
  'MESSAGES_BURST',
  'COMMANDS_PER_SECOND',
  'COMMANDS_BURST',
  'ROOMS_PER_HOUR',
  'JOINS_PER_HOUR',
  'CONNECTIONS_PER_USER',
];
const LIFTED = Object.fromEntries(
  LIFTED_LIMITS.map((name) => [`PARLANCE_LIMIT_${name}`, UNLIMITED]),
);

/** A measured server in its own process, with its own data folder and schema. */
export class ServerProcess {
  #output = '';
  #dataDir = mkdtempSync(join(tmpdir(), 'parlance-bench-'));
  #cleanUpOnExit = () => {
    this.#child?.kill('SIGKILL');
    this.#removeData();
  };
  /** @type {import('node:child_process').ChildProcess | undefined} */
  #child;
  /** @type {Record<string, string | undefined>} */
  #databaseSettings = { DATABASE_URL: undefined };
  port = 0;

  /**
   * @param {import('./targets.js').Target} target
   * @param {string[]} nodeOptions
   * @param {Record<string, string>} settings environment; by default, one that lifts the limits
   */
  constructor(target, nodeOptions = [], settings = LIFTED) {
    this.target = target;
    this.nodeOptions = nodeOptions;
    this.settings = settings;
    this.postgres = target.postgres ? new PostgresSchema(target.postgres.roundTripMs) : null;
  }

  get pid() {
    return Number(this.#child?.pid);
  }

  async start() {
    this.port = await findFreePort();
    process.once('exit', this.#cleanUpOnExit);
    if (this.postgres !== null) this.#databaseSettings = await this.postgres.open();
    const [command, args] = nodeOnCore(SERVER_CORE, [
      ...this.nodeOptions,
      this.target.script,
      ...(this.target.args ?? []),
    ]);
    this.#child = spawn(command, args, {
      env: { ...process.env, ...this.#environment() },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (text) => (this.#output = (this.#output + text).slice(-KEPT_OUTPUT)));
    }
    await this.#waitUntilReady();
  }

  async stop() {
    process.off('exit', this.#cleanUpOnExit);
    if (this.#child !== undefined && this.#isRunning) {
      const gone = once(this.#child, 'exit');
      this.#child.kill('SIGKILL');
      await gone;
    }
    this.#removeData();
  }

  #removeData() {
    rmSync(this.#dataDir, { recursive: true, force: true });
    this.postgres?.drop();
  }

  get #isRunning() {
    return this.#child?.exitCode === null && this.#child.signalCode === null;
  }

  #environment() {
    return {
      NODE_ENV: 'production',
      ...this.#databaseSettings,
      PORT: String(this.port),
      HOST: '127.0.0.1',
      DATA_DIR: this.#dataDir,
      PARLANCE_DATA_DIR: this.#dataDir,
      PARLANCE_LOG_LEVEL: 'warn',
      ...this.settings,
    };
  }

  async #waitUntilReady() {
    const deadline = Date.now() + START_TIMEOUT_MS;
    while (this.#isRunning && Date.now() < deadline) {
      if (await answersReady(this.port)) return;
      await sleep(50);
    }
    const problem = this.#isRunning ? 'was not ready in time' : 'exited during the start';
    await this.stop();
    throw new Error(`${this.target.title} ${problem}. Its last output:\n${this.#output}`);
  }
}

/** @param {number} port */
async function answersReady(port) {
  try {
    return (await fetch(`http://127.0.0.1:${port}/readyz`)).status === 200;
  } catch {
    return false;
  }
}

/** @returns {Promise<number>} */
async function findFreePort() {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (probe.address());
  probe.close();
  await once(probe, 'close');
  return port;
}
