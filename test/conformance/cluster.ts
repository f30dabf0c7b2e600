import { TestClient } from '../support/client.js';
import { testDatabase, type TestServer } from '../support/server.js';
import { TestCluster } from '../support/test-cluster.js';
import { PENDING } from './cluster-pending.js';
import { transportConformance, type RunningServer, type TransportUnderTest } from './index.js';
import { OPEN } from './transports.js';

const NODES = 3;

/** A cluster under test, whose clients connect to each of its servers in turn. */
export class ClusterUnderTest implements TransportUnderTest {
  readonly name = 'websocket';
  readonly cannot = {};
  readonly managed = true;
  readonly database = testDatabase();
  private connections = 0;
  /** Whether a requirement looks into a server: its clients then connect to that one. */
  private isPinned = false;

  /** `bus` returns the value of PARLANCE_BUS. */
  constructor(private readonly bus: () => string) {}

  /** Begins another requirement. */
  begin(): void {
    this.isPinned = false;
  }

  async start(env: Readonly<Record<string, string>>): Promise<RunningServer> {
    const cluster = await TestCluster.start(NODES, this.bus(), env);
    const pin = (): TestServer => {
      this.isPinned = true;
      return cluster.node(0);
    };
    return {
      get server() {
        return pin();
      },
      url: cluster.node(0).url,
      connect: (opening) => {
        const server = cluster.node(this.isPinned ? 0 : this.connections++ % NODES);
        return TestClient.connect((listener) => OPEN.websocket(server, listener, opening));
      },
      dispose: () => cluster.dispose(),
    };
  }
}

/** Registers the requirements of chapters, by their first clause, and skips what is pending. */
export function describeCluster(cluster: ClusterUnderTest, chapters: readonly number[]): void {
  const { tests, dispose } = transportConformance(cluster);
  const prefixes = chapters.map((chapter) => `P-${String(chapter)}.`);
  afterAll(dispose);
  for (const { title, clauses, skipped, run } of tests) {
    const [first = ''] = clauses;
    if (!prefixes.some((prefix) => first.startsWith(prefix))) continue;
    const reason = skipped ?? PENDING.find(([text]) => title.includes(text))?.[1];
    const runIt = (): Promise<void> => {
      cluster.begin();
      return run();
    };
    if (reason === undefined) test(title, runIt);
    else test.skip(`${title} (${reason})`, () => undefined);
  }
}
