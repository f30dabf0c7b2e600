import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

import { eventually } from '../eventually.js';
import { isListening } from '../free-port.js';

/** How to run a program that listens on a port. */
export interface ProgramSpec {
  readonly command: string;
  readonly args: readonly string[];
  readonly port: number;
  /** User and group of the process; absent for those of this process. */
  readonly uid?: number;
  readonly gid?: number;
  /** Signal for an orderly stop. */
  readonly stopSignal: NodeJS.Signals;
}

/** A program of a test that can be stopped, killed and started again on its port. */
export class ScratchProgram {
  private child: ChildProcess | undefined;
  private output = '';

  constructor(private readonly spec: ProgramSpec) {
    process.once('exit', this.killOnExit);
  }

  /** Starts the program and waits until it listens. */
  async start(): Promise<void> {
    const { command, args, port, uid, gid } = this.spec;
    const user = uid === undefined || gid === undefined ? {} : { uid, gid };
    this.output = '';
    const child = spawn(command, args, { ...user, cwd: '/', stdio: ['ignore', 'pipe', 'pipe'] });
    this.child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (text) => (this.output = (this.output + String(text)).slice(-4_000)));
    }
    await once(child, 'spawn');
    const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
    await eventually(async () => hasEnded() || (await isListening(port)), `${command} to listen`);
    if (hasEnded()) throw new Error(`${command} ended during the start:\n${this.output}`);
  }

  /** Process id; 0 while the program does not run. */
  get pid(): number {
    return this.isRunning ? (this.child?.pid ?? 0) : 0;
  }

  get isRunning(): boolean {
    return this.child?.exitCode === null && this.child.signalCode === null;
  }

  /** Stops the program in order, and waits for its end. */
  stop(): Promise<void> {
    return this.end(this.spec.stopSignal);
  }

  /** Kills the program, as `kill -9` does, and waits for its end. */
  kill(): Promise<void> {
    return this.end('SIGKILL');
  }

  /** Sends a signal without waiting for its effect, such as SIGSTOP and SIGCONT. */
  signal(signal: NodeJS.Signals): void {
    this.child?.kill(signal);
  }

  /** Kills the program for good. */
  async dispose(): Promise<void> {
    await this.kill();
    process.off('exit', this.killOnExit);
  }

  private readonly killOnExit = (): void => {
    if (this.isRunning) this.child?.kill('SIGKILL');
  };

  private async end(signal: NodeJS.Signals): Promise<void> {
    const { child } = this;
    if (child === undefined || !this.isRunning) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }
}
