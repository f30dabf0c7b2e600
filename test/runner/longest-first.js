/** Files that run longest, in this order; a fresh clone knows no durations that Jest has kept. */
const LONGEST = [
  'conformance/cluster',
  'client/clients-page',
  'limits/budget',
  'embedding/docs',
  'conformance/websocket',
  'crash/crash',
  'bots/killed-bot',
  'integration/several-nodes',
  'integration/images',
  'fuzz/fuzz',
  'conformance/socket-io-polling',
  'conformance/socket-io-websocket',
  'conformance/in-memory',
  'dialects/observers',
  'conformance/other-transport',
  'client/package',
  'chaos/chaos',
  'integration/start-errors',
  'integration/shutdown',
  'bots/harness',
  'bots/remind',
  'bots/python-bot',
  'integration/storage-failure',
  'client/reconnecting',
  'client/resume',
  'bots/welcome',
  'client/storm',
  'bots/new-bot',
  'bots/coin-bot',
];

/** Runs the longest files first, so that no worker is left with one of them at the end. */
export default class LongestFirst {
  sort(tests) {
    return [...tests].sort((one, other) => rank(one.path) - rank(other.path));
  }

  shard(tests, { shardIndex, shardCount }) {
    return tests.filter((_test, index) => index % shardCount === shardIndex - 1);
  }

  allFailedTests(tests) {
    return tests;
  }

  cacheResults() {}
}

function rank(path) {
  const index = LONGEST.findIndex((file) => path.endsWith(`/test/${file}.spec.ts`));
  return index === -1 ? LONGEST.length : index;
}
