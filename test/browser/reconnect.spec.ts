import { startServer } from '../support/server.js';
import { passThrough } from './pass-through.js';
import { inBrowser, TEST_MS } from './scene.js';

inBrowser('the page, when the connection is lost', (scene) => {
  test(
    'reconnects after a restart of the server, and sends the messages written meanwhile',
    async () => {
      const { port, env } = scene.server;
      const ann = await scene.tab();
      const bob = await scene.tab();
      await ann.rename('ann');
      await ann.write('before');
      await bob.sees('before');
      await scene.server.stop();
      await ann.isDisconnected();
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
    'sends an unanswered message again, and the server stores it once',
    async () => {
      let sent = 0;
      let isCut = false;
      const ann = await scene.tab('/', (page) =>
        page.routeWebSocket(/\/ws$/, (route) => {
          passThrough(route, {
            fromPage: ({ cmd }) => {
              if (cmd === 'message.send') sent++;
            },
            // Drops the events of messages, and closes the connection instead of the first reply.
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
      await ann.hasSentAll();
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
    'requests missed events',
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
});

function hasMessage({ data }: Record<string, unknown>): boolean {
  return (data as { message?: unknown } | undefined)?.message !== undefined;
}
