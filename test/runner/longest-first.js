/** Files that run longest, in this order; a fresh clone knows no durations that Jest has kept. */
const LONGEST = [
  'client/clients-page',
  'embedding/docs',
  'crash/crash',
  'conformance/websocket',
  'conformance/socket-io-polling',
  'bots/harness',
  'limits/budget',
  'conformance/socket-io-websocket',
  'conformance/in-memory',
  'conformance/other-transport',
  'integration/shutdown',
  'integration/image-turns',
  'integration/images',
  'integration/start-errors',
  'client/storm',
  'bots/remind',
  'bots/python-bot',
  'bots/bot-create',
  'bots/dice',
  'bots/new-bot',
  'bots/coin-bot',
  'fuzz/fuzz',
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
