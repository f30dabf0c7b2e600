import type { WebSocketRoute } from 'playwright-core';

import { startServer } from '../support/server.js';
import { inBrowser, TEST_MS } from './scene.js';

inBrowser('the page, when the connection is lost', (scene) => {
  test(
    'comes back after the server was started again, and sends what was written meanwhile',
    async () => {
      const { port, env } = scene.server;
      const ann = await scene.tab();
      const bob = await scene.tab();
      await ann.rename('ann');
      await ann.write('before');
      await bob.sees('before');
      await scene.server.stop();
      await ann.isAlone();
      await ann.write('meanwhile');
      expect(await ann.unsent()).toEqual(['meanwhile']);
      scene.server = await startServer({ ...env, PORT: String(port) });
      await bob.connectNow();
      await Promise.all([ann.inRoom(), bob.inRoom()]);
      await bob.sees('meanwhile');
      await bob.write('after');
      await ann.sees('after');
      const said = ['before', 'meanwhile', 'after'];
      expect(await ann.texts()).toEqual(said);
      expect(await bob.texts()).toEqual(said);
      expect(await ann.unsent()).toEqual([]);
      await bob.person('ann').waitFor();
      expect([...(await ann.violations()), ...(await bob.violations())]).toEqual([]);
    },
    TEST_MS,
  );

  test(
    'sends again what was not answered, and it is there once',
    async () => {
      let sent = 0;
      let isCut = false;
      const ann = await scene.tab('/', (page) =>
        page.routeWebSocket(/\/ws$/, (route) => {
          passThrough(route, {
            fromPage: ({ cmd }) => {
              if (cmd === 'message.send') sent++;
            },
            // No event of it comes, and the connection ends instead of the first reply.
            fromServer: (frame) => {
              if (frame['event'] === 'message.created') return false;
              if (isCut || !hasMessage(frame)) return true;
              isCut = true;
              void route.close({ code: 4202, reason: 'cut off before the reply' });
              return false;
            },
          });
        }),
      );
      await ann.write('sent twice, stored once');
      await ann.sees('sent twice, stored once');
      await ann.page.locator('#unsent:empty').waitFor({ state: 'attached' });
      const rob = await scene.client();
      const { messages } = await rob.ok('room.join', { room: 'general' });
      expect(sent).toBe(2);
      expect(messages.map(({ text }) => text)).toEqual(['sent twice, stored once']);
      expect(await ann.texts()).toEqual(['sent twice, stored once']);
      await rob.close();
    },
    TEST_MS,
  );

  test(
    'asks for the events that it missed',
    async () => {
      let dropped = 0;
      const rob = await scene.client();
      await rob.ok('room.join', { room: 'general' });
      const ann = await scene.tab('/', (page) =>
        page.routeWebSocket(/\/ws$/, (route) => {
          const isKept = (event: unknown) => event !== 'message.created' || ++dropped > 2;
          passThrough(route, { fromServer: ({ event }) => isKept(event) });
        }),
      );
      for (const text of ['one', 'two', 'three']) {
        await rob.ok('message.send', { room: 'general', text });
      }
      await ann.sees('three');
      expect(await ann.texts()).toEqual(['one', 'two', 'three']);
      await rob.close();
    },
    TEST_MS,
  );

  test(
    'begins as another guest, of the same name, when its token is worth nothing',
    async () => {
      const ann = await scene.tab();
      await ann.rename('ann');
      await ann.write('from the first ann');
      await ann.sees('from the first ann');
      await ann.page.evaluate(`sessionStorage.setItem('parlance.token', 'made up')`);
      await ann.reload();
      const entry = await ann.sees('from the first ann');
      expect(await entry.getAttribute('class')).not.toContain('mine');
      expect(await ann.page.inputValue('#name')).toBe('ann');
    },
    TEST_MS,
  );
});

type Frame = Record<string, unknown>;

/** Connects a page and the server; a frame of the server comes through if `fromServer` says so. */
function passThrough(
  route: WebSocketRoute,
  watch: { fromPage?(frame: Frame): void; fromServer(frame: Frame): boolean },
): void {
  const server = route.connectToServer();
  route.onMessage((text) => {
    watch.fromPage?.(JSON.parse(String(text)) as Frame);
    server.send(text);
  });
  server.onMessage((text) => {
    if (watch.fromServer(JSON.parse(String(text)) as Frame)) route.send(text);
  });
}

function hasMessage({ data }: Frame): boolean {
  return (data as { message?: unknown } | undefined)?.message !== undefined;
}
