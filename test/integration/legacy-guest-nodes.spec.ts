import { Writer } from '#src/database/writer.js';

import { eventually } from '../support/eventually.js';
import type { TestClient } from '../support/client.js';
import { NodePair } from '../support/node-pair.js';
import { startServer, type TestServer } from '../support/server.js';
import { connectClient } from '../support/wire-transports.js';
import { OldPage } from '../dialects/old-page.js';

const ROOM = 'one';
const TEST_MS = 60_000;

const onPostgres = process.env['TEST_DATABASE'] === 'postgres' ? describe : describe.skip;

onPostgres('guests of legacy clients on two servers that share a database', () => {
  let nodes: NodePair;
  let watcher: TestClient;
  const pages: OldPage[] = [];

  async function start(awaySeconds: number): Promise<void> {
    nodes = await NodePair.start({
      PARLANCE_TRUST_PROXY: 'loopback',
      PARLANCE_LEGACY_AWAY_SECONDS: String(awaySeconds),
    });
    watcher = await connectClient('websocket', nodes.one.port, { name: 'watcher' });
    await watcher.ok('room.join', { room: ROOM, create: true });
  }

  afterEach(async () => {
    for (const page of pages.splice(0)) page.close();
    await nodes.dispose();
  }, TEST_MS);

  async function join(server: TestServer, user: string): Promise<OldPage> {
    const headers = { 'X-Forwarded-For': '192.0.2.1' };
    const page = await OldPage.open(server.url, 'simple-chat', ['websocket'], headers);
    pages.push(page);
    page.post('chat', { event: 'join', user, room: ROOM });
    await page.next('chat');
    return page;
  }

  const joined = async (): Promise<string> => (await watcher.event('member.joined')).member.user.id;

  test(
    'leave if they have left either server, and stay if they are connected to one',
    async () => {
      await start(2);
      await join(nodes.two, 'Ann');
      await joined();
      // It finds Ann in the database when it starts.
      const third = await startServer(nodes.one.env, { isDatabaseShared: true });
      for (const server of [nodes.two, nodes.one]) {
        const page = await join(server, 'Bob');
        const bob = await joined();
        page.close();
        const left = await watcher.event('member.left');
        expect({ id: left.user.id, reason: left.reason }).toEqual({ id: bob, reason: 'away' });
      }
      await third.stop();
      const { members } = await watcher.ok('room.members', { room: ROOM });

      expect(members.map(({ user }) => user.name).sort()).toEqual(['Ann', 'watcher']);
    },
    TEST_MS,
  );

  test(
    'return to the other server, but nobody else does while they are connected',
    async () => {
      await start(1_000);
      const first = await join(nodes.two, 'Ann');
      const ann = await joined();
      first.close();
      const away = 'SELECT user_id FROM dialect_guests WHERE present_until = 0';
      await eventually(async () => {
        const found = await nodes.one.app.get(Writer).run([], ({ sql }) => sql.get(away));
        return found !== undefined;
      }, 'Ann to be offline');
      const again = await join(nodes.one, 'Ann');
      again.post('chat', { event: 'chat', room: ROOM, text: 'back' });
      const { message } = await watcher.event('message.created');
      await join(nodes.two, 'Ann');

      expect(message.sender.id).toBe(ann);
      expect(await joined()).not.toBe(ann);
    },
    TEST_MS,
  );
});
