import { randomBytes } from 'node:crypto';

import { BUS_SERVICES, type BusService } from './bus-services.js';
import { makeScratchFolder } from './scratch-folder.js';
import { startServer, type Extras, type TestServer } from './server.js';

/** Settings that servers need besides the bus. */
const KEYS = `k1:${randomBytes(32).toString('base64')}`;

/** Servers in this process that share a new PostgreSQL database and a bus. */
export class TestCluster {
  private constructor(
    readonly nodes: readonly TestServer[],
    /** Settings that another server needs to join. */
    readonly env: Readonly<Record<string, string>>,
  ) {}

  /** Starts `count` servers; `bus` is the value of PARLANCE_BUS. */
  static async start(
    count: number,
    bus: string,
    settings: Readonly<Record<string, string>> = {},
    extras: Extras = {},
  ): Promise<TestCluster> {
    const files = await makeScratchFolder();
    const first = await startServer(
      { PARLANCE_BUS: bus, PARLANCE_TOKEN_KEYS: KEYS, PARLANCE_FILES_DIR: files, ...settings },
      extras,
    );
    const { env } = first;
    const others = Array.from({ length: count - 1 }, () => startServer(env, extras));
    return new TestCluster([first, ...(await Promise.all(others))], env);
  }

  /** Returns a server. */
  node(index: number): TestServer {
    const node = this.nodes[index];
    if (node === undefined) throw new RangeError(`There is no server ${String(index)}`);
    return node;
  }

  /** Stops all servers, and drops their database. */
  async dispose(): Promise<void> {
    const [first, ...others] = this.nodes;
    for (const server of others) await server.stop();
    await first?.dispose();
  }
}

/** Returns the service of a bus, by the scheme of its URL. */
export function busService(scheme: string): BusService {
  const service = BUS_SERVICES.find((one) => one.scheme === scheme);
  if (service === undefined) throw new RangeError(`There is no bus ${scheme}`);
  return service;
}
