import { LogFeed } from '#src/store/log-feed.js';

import { TestClient } from '../support/client.js';
import { testDatabase, type TestServer } from '../support/server.js';
import { TestCluster } from '../support/test-cluster.js';
import { PENDING } from './cluster-pending.js';
import {
  requirements,
  transportConformance,
  type RunningServer,
  type TransportUnderTest,
} from './index.js';
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

  /** Begins a requirement; `isPinned` tells that it does something to one server. */
  begin(isPinned: boolean): void {
    this.isPinned = isPinned;
    this.connections = 0;
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
      connect: async (opening) => {
        const server = cluster.node(this.isPinned ? 0 : this.connections++ % NODES);
        const open = OPEN.websocket;
        const client = await TestClient.connect((listener) => open(server, listener, opening));
        return afterCatchingUp(client, server);
      },
      dispose: () => cluster.dispose(),
    };
  }
}

/**
 * Lets a round trip of a client show what was committed before it over any server.
 *
 * Requirements rely on that; of other servers, it would otherwise depend on the speed of the bus.
 */
function afterCatchingUp(client: TestClient, { app }: TestServer): TestClient {
  const feed = app.get(LogFeed);
  const roundTrip = client.roundTrip.bind(client);
  client.roundTrip = async () => {
    await feed.recheck();
    for (const log of feed.followedLogs()) await feed.untilFilled(log);
    await roundTrip();
  };
  return client;
}

/** Registers the requirements of chapters, by their first clause, and skips what is pending. */
export function describeCluster(cluster: ClusterUnderTest, chapters: readonly number[]): void {
  const { tests, dispose } = transportConformance(cluster);
  // Most requirements with settings of their own block, break or watch one server.
  const pinned = requirements.filter(({ settings }) => settings !== undefined);
  const prefixes = chapters.map((chapter) => `P-${String(chapter)}.`);
  afterAll(dispose);
  for (const { title, clauses, skipped, run } of tests) {
    const [first = ''] = clauses;
    if (!prefixes.some((prefix) => first.startsWith(prefix))) continue;
    const reason = skipped ?? PENDING.find(([text]) => title.includes(text))?.[1];
    const runIt = (): Promise<void> => {
      cluster.begin(pinned.some((requirement) => title.includes(requirement.title)));
      return run();
    };
    if (reason === undefined) test(title, runIt);
    else test.skip(`${title} (${reason})`, () => undefined);
  }
}
