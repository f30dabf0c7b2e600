import { randomBytes } from 'node:crypto';

import type { TestClient } from '../support/client.js';
import {
  requirements,
  type Requirement,
  type RunningServer,
  type Scene,
  type TransportUnderTest,
} from './suite.js';

/** One test for any test runner; it throws when the requirement does not hold. */
export interface ConformanceTest {
  readonly title: string;
  readonly clauses: readonly string[];
  /** Reason why it cannot run on this transport; list it as skipped. */
  readonly skipped?: string;
  run(): Promise<void>;
}

/** The tests of one transport, and a function to call after the last one. */
export interface ConformanceTests {
  readonly tests: readonly ConformanceTest[];
  dispose(): Promise<void>;
}

/**
 * Returns the conformance tests of the protocol for a transport (P-10.6).
 *
 * The scope `binding` omits the tests that cover only the core.
 */
export function transportConformance(
  transport: TransportUnderTest,
  scope: 'all' | 'binding' = 'all',
): ConformanceTests {
  let shared: Promise<RunningServer> | undefined;
  const sharedServer = () => (shared ??= transport.start({}));
  const tests = requirements
    .filter(({ only }) => only === undefined || only.includes(transport.name))
    .filter(({ isCore = false }) => scope === 'all' || !isCore)
    .map((requirement): ConformanceTest => {
      const { clauses, title } = requirement;
      const skipped = whySkipped(requirement, transport);
      return {
        title: `${clauses.join(', ')} ${title} [${transport.name}]`,
        clauses,
        ...(skipped === undefined ? {} : { skipped }),
        run: () => run(requirement, transport, sharedServer),
      };
    });
  return {
    tests,
    dispose: async () => {
      await (await shared)?.dispose();
    },
  };
}

function whySkipped(
  { clauses, settings, needs }: Requirement,
  { cannot, managed, database }: TransportUnderTest,
): string | undefined {
  if (settings !== undefined && !managed) return 'it needs a server with settings of its own';
  if (needs !== undefined && needs.database !== database) return needs.because;
  return clauses.map((clause) => cannot[clause]).find((reason) => reason !== undefined);
}

async function run(
  { settings, body }: Requirement,
  transport: TransportUnderTest,
  sharedServer: () => Promise<RunningServer>,
): Promise<void> {
  const running = await (settings === undefined ? sharedServer() : transport.start(settings));
  const clients: TestClient[] = [];
  const more: RunningServer[] = [];
  const scene: Scene = {
    transport: transport.name,
    get server() {
      return running.server;
    },
    url: running.url ?? running.server?.url ?? '',
    connect: async (opening) => {
      const client = await running.connect(opening);
      clients.push(client);
      return client;
    },
    join: async (name, hello = {}) => {
      const client = await scene.connect();
      await client.ok('hello', { protocol: 1, name, ...hello });
      return client;
    },
    room: () => `r-${randomBytes(6).toString('hex')}`,
    start: async (env) => {
      const another = await transport.start(env);
      more.push(another);
      return another;
    },
  };
  try {
    await body(scene);
  } finally {
    await Promise.all(clients.map((client) => client.close()));
    for (const another of more) await another.dispose();
    if (settings !== undefined) await running.dispose();
  }
}
