import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';

import { LIFTED_LIMITS } from '#src/bots/testing/lifted-limits.js';

import { builtProgram } from './built-server.js';
import { Conditions } from './conditions.js';

/** Settings with files that import the modules of the build, which a pack has a second time. */
const IMPORTING = ['PARLANCE_BOTS', 'PARLANCE_DIALECT_FILES'];
const START_MS = 30_000;
const EXIT_MS = 40_000;

/** The exit code or signal of a process. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** One line of the log of a server. */
export interface LogLine {
  readonly level: number;
  readonly msg?: string;
  readonly [field: string]: unknown;
}

/** A server in a child process, as operators run it. */
export class ChildServer {
  /** The port that the server listens on; 0 before it listens. */
  port = 0;
  stdout = '';
  stderr = '';
  exit: Exit | undefined;
  private static readonly running = new Set<ChildServer>();
  private readonly conditions = new Conditions();
  private readonly child: ChildProcess;

  /**
   * Starts the process without waiting until it listens; `env` adds to its settings.
   *
   * The stacks of a packed server do not name the files of the build.
   */
  constructor(
    env: Readonly<Record<string, string>>,
    isPacked = !IMPORTING.some((name) => name in env),
  ) {
    this.child = spawn(process.execPath, builtProgram('main', { isPacked }), {
      // The folder of a developer can contain an .env file.
      cwd: tmpdir(),
      env: { PATH: process.env['PATH'], PORT: '0', HOST: '127.0.0.1', ...LIFTED_LIMITS, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    ChildServer.running.add(this);
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
      if (this.port === 0) this.port = this.findPort();
      this.conditions.wake();
    });
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.child.once('close', (code, signal) => {
      ChildServer.running.delete(this);
      this.exit = { code, signal };
      this.conditions.wake();
    });
  }

  /** Starts a server and waits until it listens. */
  static async start(
    env: Readonly<Record<string, string>>,
    isPacked?: boolean,
  ): Promise<ChildServer> {
    const server = new ChildServer(env, isPacked);
    await server.listening();
    return server;
  }

  /** Kills all servers that a test left running. */
  static async killAll(): Promise<void> {
    await Promise.all([...ChildServer.running].map((server) => server.kill('SIGKILL')));
  }

  /** `http://127.0.0.1:port`, without a slash at the end. */
  get url(): string {
    return `http://127.0.0.1:${String(this.port)}`;
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** Waits until the server listens. */
  async listening(): Promise<void> {
    const isDone = () => this.port !== 0 || this.exit !== undefined;
    await this.conditions.until(isDone, 'the server to listen', START_MS);
    if (this.exit === undefined) return;
    throw new Error(`The server ended with ${JSON.stringify(this.exit)}:\n${this.stderr}`);
  }

  /** Sends a signal without waiting for its effect. */
  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Sends a signal and waits for the end of the process. */
  async kill(signal: NodeJS.Signals): Promise<Exit> {
    this.signal(signal);
    return this.ended();
  }

  /** Waits for the end of the process. */
  async ended(): Promise<Exit> {
    await this.conditions.until(() => this.exit !== undefined, 'the server to end', EXIT_MS);
    return this.exit as Exit;
  }

  /** Returns the lines of the log so far. */
  log(): LogLine[] {
    return this.stdout
      .split('\n')
      .filter((line) => line.startsWith('{"level"') && line.endsWith('}'))
      .map((line) => JSON.parse(line) as LogLine);
  }

  /** Returns the resident memory of the process in bytes; 0 if the system does not report it. */
  residentBytes(): number {
    const file = `/proc/${String(this.pid)}/status`;
    if (!existsSync(file)) return 0;
    const kilobytes = /VmRSS:\s+(\d+)/.exec(readFileSync(file, 'utf8'))?.[1];
    return Number(kilobytes ?? 0) * 1_024;
  }

  private findPort(): number {
    const line = this.log().find(({ msg }) => msg === 'listening');
    return Number(line?.['port'] ?? 0);
  }
}
