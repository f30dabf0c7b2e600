import { copyClients, LEGACY_PAGES, LegacyPage, OtherSite } from './legacy-page.js';
import { inBrowser, TEST_MS } from './scene.js';

const PAGES = ['livechat', 'rooms', 'simple-chat', 'realtime-chat', 'broadcast'];
const CLIENTS = ['1.3.6', '2.2.0', '3.1.1', '4.0.1'];
const WITHOUT_WEBSOCKET = 'delete window.WebSocket;';
const WAYS = [
  { way: 'over polling only', script: WITHOUT_WEBSOCKET },
  { way: 'over its default transports', script: '' },
];
const CASES = CLIENTS.flatMap((version) => WAYS.map((way) => ({ version, ...way })));
const BYTES = 'application/octet-stream';

/** Sends hello in Parlance's protocol; resolves to the reply. */
const SEND_HELLO = `new Promise((resolve, reject) => {
  const socket = io(location.origin);
  socket.on('connect_error', (error) => reject(new Error(String(error))));
  socket.emit('hello', { protocol: 1, name: 'Zoë 𐐀' }, resolve);
})`;

let site: OtherSite;

inBrowser(
  'pages of older chat programs',
  (scene) => {
    beforeAll(async () => {
      copyClients();
      site = await OtherSite.start();
    });
    afterAll(() => site.stop());

    test.each(CASES)(
      'Socket.IO $version connects $way',
      async ({ version, script }) => {
        const { server, context } = scene;
        const { page, wires } = await LegacyPage.open(context, `${server.url}/`, script);

        await page.addScriptTag({ url: `/vendor/socket.io-${version}.js` });
        const welcome = await page.evaluate(SEND_HELLO);

        expect(welcome).toMatchObject({ ok: true, data: { user: { name: 'Zoë 𐐀' } } });
        const isOld = ['1.3.6', '2.2.0'].includes(version);
        expect(wires[0]).toBe(isOld ? BYTES : 'text/plain; charset=UTF-8');
        if (script !== '') expect(wires).not.toContain('websocket');
      },
      TEST_MS,
    );

    test.each(PAGES)(
      'the page %s connects to the server that serves it',
      async (name) => {
        const { server, context } = scene;
        const legacy = await LegacyPage.open(context, `${server.url}/${name}.html`);

        await legacy.isOpen();

        expect(legacy.wires.length).toBeGreaterThan(0);
        expect(legacy.faults).toEqual([]);
      },
      TEST_MS,
    );

    test.each(PAGES)(
      'the page %s connects from another origin',
      async (name) => {
        const url = `${site.origin}/${name}.html?server=${encodeURIComponent(scene.server.url)}`;
        const legacy = await LegacyPage.open(scene.context, url);

        await legacy.isOpen();

        expect(legacy.faults).toEqual([]);
      },
      TEST_MS,
    );

    test(
      'the index page links to all of them',
      async () => {
        const { page } = await LegacyPage.open(scene.context, `${scene.server.url}/?server=x`);

        const links = await page.locator('a').evaluateAll((all) => all.map(String));

        expect(links).toEqual(PAGES.map((name) => `${scene.server.url}/${name}.html?server=x`));
      },
      TEST_MS,
    );
  },
  () => ({ PARLANCE_PAGES_DIR: LEGACY_PAGES, PARLANCE_ORIGINS: site.origin }),
);
