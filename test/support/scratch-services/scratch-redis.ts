import { rm } from 'node:fs/promises';

import { freePorts } from '../free-port.js';
import { makeScratchFolder } from '../scratch-folder.js';
import { redisProgram } from './programs.js';
import { ScratchProgram } from './scratch-program.js';

/** A Redis server of a test, on a free port; it stores nothing on disk. */
export class ScratchRedis extends ScratchProgram {
  private constructor(
    readonly port: number,
    private readonly folder: string,
    more: readonly string[],
  ) {
    const args = ['--bind', '127.0.0.1', '--port', String(port), '--dir', folder];
    const inMemory = ['--save', '', '--appendonly', 'no'];
    super({
      command: redisProgram ?? 'redis-server',
      args: [...args, ...inMemory, ...more],
      port,
      stopSignal: 'SIGTERM',
    });
  }

  /** Starts a server, with more arguments. */
  static async start(...more: readonly string[]): Promise<ScratchRedis> {
    const [port = 0] = await freePorts(1);
    const server = new ScratchRedis(port, await makeScratchFolder(), more);
    await server.start();
    return server;
  }

  get url(): string {
    return `redis://127.0.0.1:${String(this.port)}`;
  }

  override async dispose(): Promise<void> {
    await super.dispose();
    await rm(this.folder, { recursive: true, force: true });
  }
}
