import { TestClient } from '../support/client.js';
import { testDatabase } from '../support/server.js';
import { TestCluster } from '../support/test-cluster.js';
import { transportConformance, type RunningServer, type TransportUnderTest } from './index.js';
import { PENDING } from './cluster-pending.js';
import { OPEN } from './transports.js';

const NODES = 3;

/** Returns a cluster under test, whose clients connect to each of its servers in turn. */
export function clusterTransport(bus: () => string): TransportUnderTest {
  return {
    name: 'websocket',
    cannot: {},
    managed: true,
    database: testDatabase(),
    start: async (env): Promise<RunningServer> => {
      const cluster = await TestCluster.start(NODES, bus(), env);
      let connections = 0;
      return {
        server: cluster.node(0),
        connect: (opening) => {
          const server = cluster.node(connections++ % NODES);
          return TestClient.connect((listener) => OPEN.websocket(server, listener, opening));
        },
        dispose: () => cluster.dispose(),
      };
    },
  };
}

/** Registers the requirements of some chapters for a cluster, and skips what is pending. */
export function describeCluster(transport: TransportUnderTest, chapters: readonly number[]): void {
  const { tests, dispose } = transportConformance(transport);
  afterAll(dispose);
  const wanted = tests.filter(({ clauses }) =>
    clauses.some((clause) =>
      chapters.some((chapter) => clause.startsWith(`P-${String(chapter)}.`)),
    ),
  );
  for (const { title, skipped, run } of wanted) {
    const reason = skipped ?? PENDING.find(([text]) => title.includes(text))?.[1];
    if (reason === undefined) test(title, run);
    else test.skip(`${title} (${reason})`, () => undefined);
  }
}
