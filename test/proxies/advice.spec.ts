import { captureErrorLog } from '../support/error-log.js';
import { tryUpgrade } from '../support/raw-websocket.js';
import { ReverseProxy } from '../support/reverse-proxy.js';
import { startServer, type TestServer } from '../support/server.js';

const POLL = '/socket.io/?EIO=4&transport=polling';
const UNSTRIPPED = 'If a proxy serves Parlance below a path, configure it to remove that path.';
const CHANGED_HOST = /^If this is the server itself behind a proxy, have that pass on Host;/;

interface Advice {
  readonly msg: string;
  readonly advice: string;
}

let server: TestServer;

// The log repeats a line only after ten minutes.
beforeEach(async () => {
  server = await startServer({ PARLANCE_TRUST_PROXY: 'loopback' });
});
afterEach(() => server.dispose());

/** Returns the advice that is logged while a function runs. */
async function adviceWhile(act: () => Promise<unknown>): Promise<Advice[]> {
  const logged = (await captureErrorLog(act)) as [Advice][];
  return logged.map(([line]) => line);
}

test.each<[string, (url: string) => Promise<{ status: number }>]>([
  ['a WebSocket', (url) => tryUpgrade(`${url}/ws`)],
  ['a WebSocket of Socket.IO', (url) => tryUpgrade(`${url}/socket.io/?EIO=4&transport=websocket`)],
  ['a poll', (url) => fetch(url + POLL)],
  ['an upload', (url) => fetch(`${url}/api/files`, { method: 'POST', body: 'x' })],
])('a prefix that a proxy has not taken away is named by %s, once', async (_, ask) => {
  const statuses: number[] = [];

  const advice = await adviceWhile(async () => {
    for (const path of ['/team/chat', '/other']) {
      statuses.push((await ask(server.url + path)).status);
    }
  });

  expect(statuses).toEqual([404, 404]);
  expect(advice).toEqual([{ msg: 'A client requested an unknown path (404)', advice: UNSTRIPPED }]);
});

test('a path that no client connects to is not logged', async () => {
  const advice = await adviceWhile(() => fetch(`${server.url}/team/chat/wp-login.php`));

  expect(advice).toEqual([]);
});

test('the log advises a proxy that changes Host to forward it', async () => {
  const proxy = await ReverseProxy.start(server.url, { keepsHost: false });
  const origin = 'http://chat.example.org';

  const advice = await adviceWhile(() => tryUpgrade(`${proxy.url}/ws`, { origin }));

  expect(advice).toEqual([
    {
      msg: 'A page of this origin may not connect (403)',
      origin,
      host: new URL(server.url).host,
      advice: expect.stringMatching(CHANGED_HOST) as string,
    },
  ]);
  await proxy.close();
});
