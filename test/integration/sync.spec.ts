import { eventually } from '../support/eventually.js';
import type { TestClient } from '../support/client.js';
import { FakeSync } from '../support/fake-sync.js';
import { startServer, type TestServer } from '../support/server.js';
import { connectClient } from '../support/wire-transports.js';

const ROOM = 'sync';
const MESSAGE = { room: ROOM, text: 'hi', cid: 'once' };

// PostgreSQL itself waits for the disk before it answers a commit.
const onSqlite = process.env['TEST_DATABASE'] === 'postgres' ? describe.skip : describe;

onSqlite('a commit that is not yet on disk', () => {
  let server: TestServer;
  let ann: TestClient;
  let bob: TestClient;
  let disk: FakeSync | undefined;

  beforeEach(async () => {
    server = await startServer();
    ann = await connectClient('websocket', server.port, { name: 'ann' });
    bob = await connectClient('socket.io websocket', server.port, { name: 'bob' });
    for (const client of [ann, bob]) await client.ok('room.join', { room: ROOM, create: true });
    await ann.roundTrip();
  });

  afterEach(async () => {
    disk?.restore();
    await Promise.all([ann.close(), bob.close()]);
    await server.dispose();
  });

  test('is not announced before the sync, and does not delay other commands', async () => {
    const syncs: (() => void)[] = [];
    disk = await FakeSync.install(() => new Promise((resolve) => syncs.push(resolve)));
    const sent = ann.post('message.send', MESSAGE);
    await eventually(() => syncs.length === 1, 'the first sync');
    // The message is committed: a read would return it, and another write follows it.
    const read = bob.post('message.history', { room: ROOM });
    const cat = await connectClient('websocket', server.port, { name: 'cat' });
    const joined = cat.post('room.join', { room: ROOM });
    const dan = await connectClient('websocket', server.port, { name: 'dan' });
    await dan.roundTrip();
    const answers = [ann, bob, cat].map((client) => client.frames.length);
    await dan.roundTrip();
    expect([ann, bob, cat].map((client) => client.frames.length)).toEqual(answers);
    for (const client of [ann, bob]) expect(client.events('message.created')).toEqual([]);

    syncs[0]?.();
    await eventually(() => syncs.length === 2, 'the second sync');
    expect(await ann.reply(sent)).toMatchObject({ ok: true, data: { duplicate: false } });
    expect(await bob.event('message.created')).toMatchObject({ message: { text: 'hi' } });
    expect(ann.events('member.joined').filter(({ data }) => isOf(cat, data))).toEqual([]);
    syncs[1]?.();
    disk.restore();
    expect(await cat.reply(joined)).toMatchObject({ ok: true });
    expect(await bob.reply(read)).toMatchObject({ data: { messages: [{ text: 'hi' }] } });
    await Promise.all([cat.close(), dan.close()]);
  });

  test('fails with `unavailable` if the sync fails, and a retry stores it once', async () => {
    disk = await FakeSync.install(() => {
      disk?.restore();
      return Promise.reject(Object.assign(new Error('on purpose'), { code: 'EIO' }));
    });
    await ann.expectError('message.send', MESSAGE, 'unavailable');
    // The database has it nevertheless: it is announced once the disk can be used.
    const { message } = await bob.event('message.created');
    expect(await ann.ok('message.send', MESSAGE)).toEqual({ message, duplicate: true });
    for (const client of [ann, bob]) {
      expect(client.events('message.created')).toHaveLength(1);
      expect(client.events('bye')).toEqual([]);
    }
    const { messages, epoch } = await ann.ok('message.history', { room: ROOM });
    expect(messages).toEqual([message]);
    const replay = await ann.ok('room.sync', { room: ROOM, epoch, after: 0 });
    const events = 'complete' in replay && replay.complete ? replay.events : [];
    expect(events.map(({ data }) => data.seq)).toEqual(events.map((_, index) => index + 1));
  });

  test('takes effect for the bots of a room after the sync', async () => {
    const bots = () => ann.ok('bot.status', { room: ROOM });
    const isIn = async () => (await bots()).bots.length === 1;
    for (const command of ['bot.add', 'bot.remove']) {
      disk = await FakeSync.install(() => {
        disk?.restore();
        return Promise.reject(Object.assign(new Error('on purpose'), { code: 'EIO' }));
      });
      await ann.expectError(command, { room: ROOM, bot: 'dice' }, 'unavailable');
      const isAdded = command === 'bot.add';
      await eventually(async () => (await isIn()) === isAdded, `what ${command} came to`);
    }
  });
});

function isOf(client: TestClient, data: Record<string, unknown>): boolean {
  const { user } = data['member'] as { user: { id: string } };
  return user.id === client.welcome.user.id;
}
