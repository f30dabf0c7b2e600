import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';

import { eventually } from './eventually.js';
import { isListening } from './free-port.js';

/** User id of `nobody` in Debian, which runs the program if the tests run as root. */
const NOBODY = 65_534;

/** A program without privileges, which owns one folder. */
export class UnprivilegedProgram {
  private constructor(
    private readonly child: ChildProcess,
    private readonly folder: string,
  ) {}

  /** Starts a program that owns a folder, and waits until it listens on all ports. */
  static async start(
    command: readonly [string, ...string[]],
    folder: string,
    ports: readonly number[],
  ): Promise<UnprivilegedProgram> {
    const [path, ...args] = command;
    const child = spawn(path, args, {
      cwd: folder,
      env: { PATH: process.env['PATH'], HOME: folder },
      stdio: ['ignore', 'ignore', 'pipe'],
      ...changeOwner(folder),
    });
    let errors = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (errors += text));
    await once(child, 'spawn');
    const program = new UnprivilegedProgram(child, folder);
    await eventually(async () => {
      if (child.exitCode !== null) throw new Error(`${path} ended:\n${errors}`);
      return (await Promise.all(ports.map(isListening))).every(Boolean);
    }, `${path} to listen`);
    return program;
  }

  /** Ends the program and removes its folder. */
  async stop(): Promise<void> {
    if (this.child.exitCode === null) {
      this.child.kill('SIGTERM');
      await once(this.child, 'exit');
    }
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** Changes the owner of a folder if the tests run as root; returns the new owner. */
function changeOwner(folder: string): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const inside = readdirSync(folder, { recursive: true }) as string[];
  for (const path of ['', ...inside]) chownSync(join(folder, path), NOBODY, NOBODY);
  return { uid: NOBODY, gid: NOBODY };
}
