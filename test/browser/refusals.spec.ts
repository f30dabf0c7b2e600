import { ReverseProxy, type ProxyOptions } from '../support/reverse-proxy.js';
import { inBrowser, TEST_MS } from './scene.js';
import { Tab } from './tab.js';

/** Limits per address; loopback has none, so the proxy adds another address. */
const SETTINGS = {
  PARLANCE_TRUST_PROXY: 'loopback',
  PARLANCE_LIMIT_CONNECTIONS_PER_ADDRESS: '1',
  PARLANCE_LIMIT_CONNECTIONS_PER_USER: '1',
  PARLANCE_LIMIT_GUESTS_PER_HOUR: '1',
};

inBrowser(
  'the page, when the server refuses the connection',
  (scene) => {
    let proxy: ReverseProxy | undefined;

    afterEach(() => proxy?.close());

    /** Opens the page through a proxy, in a new browser context. */
    async function load(options: ProxyOptions): Promise<Tab> {
      proxy = await ReverseProxy.start(scene.server.url, options);
      return Tab.load(await scene.person(), `${proxy.url}/`);
    }

    test(
      'tries again after 15 s if the server accepts the connection and stays silent',
      async () => {
        let attempts = 0;
        const page = await Tab.load(scene.context, `${scene.server.url}/`, async (tab) => {
          // Time stands still, so that the short delay before the next attempt does not run out.
          await tab.clock.install({ time: 0 });
          await tab.clock.pauseAt(1_000);
          await tab.routeWebSocket(/\/ws$/, (route) => {
            // The first attempt gets no answer, as behind a captive portal.
            if (++attempts > 1) route.connectToServer();
          });
        });
        await page.page.getByText('Connecting…').waitFor();
        await page.page.clock.fastForward(15_000);
        await page.seesAlert('The server did not answer.');
        await page.isDisconnected();
        await page.page.clock.fastForward(20_000);
        await page.page.clock.resume();
        await page.inRoom();
        await page.page.getByRole('alert').waitFor({ state: 'hidden' });
      },
      TEST_MS,
    );

    test(
      'names the setting that allows the origin',
      async () => {
        const page = await load({ keepsHost: false });
        await page.seesAlert(
          /does not accept connections from pages of http:\/\/127\.0\.0\.1:\d+\..*PARLANCE_ORIGINS/,
        );
        await page.isDisconnected();
      },
      TEST_MS,
    );

    test(
      'names the headers that a proxy must pass on',
      async () => {
        const page = await load({ upgrades: false });
        await page.isDisconnected();
        await page.connectNow();
        await page.seesAlert(/not over WebSocket.*Upgrade and Connection/);
      },
      TEST_MS,
    );

    test(
      'shows that its address has too many connections, and then too many guests',
      async () => {
        const first = await load({ adds: { 'x-forwarded-for': '203.0.113.7' } });
        await first.inRoom();
        const second = await Tab.load(await scene.person(), first.page.url());
        await second.seesAlert(/too many connections from this address.*Close other tabs/);
        await second.isDisconnected();
        await first.page.close();
        await second.connectNow();
        await second.seesAlert(/Too many new guests have connected from your network/);
        await second.page.getByText(/trying again in \d+ min/).waitFor();
      },
      TEST_MS,
    );

    test(
      'shows that its guest has too many connections, and connects when there are fewer',
      async () => {
        const first = await scene.tab();
        const second = await Tab.load(first.page.context(), first.page.url());
        await second.seesAlert(/Too many open connections.*Close other tabs/);
        await first.page.close();
        await second.connectNow();
        await second.inRoom();
        await second.page.getByRole('alert').waitFor({ state: 'hidden' });
      },
      TEST_MS,
    );
  },
  () => SETTINGS,
);
