import { eventually } from '../support/eventually.js';
import type { TestClient } from '../support/client.js';
import { HeldDisk } from '../support/held-disk.js';
import { startServer, type TestServer } from '../support/server.js';
import { greet } from '../support/wire-transports.js';

const ROOM = 'sync';
const MESSAGE = { room: ROOM, text: 'hi', cid: 'once' };

// PostgreSQL answers a commit when it is on the disk: the waiting is its own.
const onSqlite = process.env['TEST_DATABASE'] === 'postgres' ? describe.skip : describe;

onSqlite('what is committed and not yet on the disk', () => {
  let server: TestServer;
  let ann: TestClient;
  let bob: TestClient;
  let disk: HeldDisk | undefined;

  beforeEach(async () => {
    server = await startServer();
    ann = await greet('websocket', server.port, { name: 'ann' });
    bob = await greet('socket.io websocket', server.port, { name: 'bob' });
    for (const client of [ann, bob]) await client.ok('room.join', { room: ROOM, create: true });
    await ann.settled();
  });

  afterEach(async () => {
    disk?.release();
    await Promise.all([ann.close(), bob.close()]);
    await server.dispose();
  });

  test('is told to nobody until it is there, and holds up nothing else', async () => {
    const syncs: (() => void)[] = [];
    disk = await HeldDisk.of(() => new Promise((resolve) => syncs.push(resolve)));
    const sent = ann.post('message.send', MESSAGE);
    await eventually(() => syncs.length === 1, 'the first sync');
    // It is committed, so that a read would show it, and another write comes after it.
    const read = bob.post('message.history', { room: ROOM });
    const cat = await greet('websocket', server.port, { name: 'cat' });
    const joined = cat.post('room.join', { room: ROOM });
    const dan = await greet('websocket', server.port, { name: 'dan' });
    await dan.settled();
    const answers = [ann, bob, cat].map((client) => client.frames.length);
    await dan.settled();
    expect([ann, bob, cat].map((client) => client.frames.length)).toEqual(answers);
    expect([ann, bob].map((client) => client.events('message.created'))).toEqual([[], []]);

    syncs[0]?.();
    await eventually(() => syncs.length === 2, 'the second sync');
    expect(await ann.reply(sent)).toMatchObject({ ok: true, data: { duplicate: false } });
    expect(await bob.event('message.created')).toMatchObject({ message: { text: 'hi' } });
    expect(ann.events('member.joined').filter(({ data }) => isOf(cat, data))).toEqual([]);
    syncs[1]?.();
    disk.release();
    expect(await cat.reply(joined)).toMatchObject({ ok: true });
    expect(await bob.reply(read)).toMatchObject({ data: { messages: [{ text: 'hi' }] } });
    await Promise.all([cat.close(), dan.close()]);
  });

  test('is answered by unavailable if it does not get there, and is there once after all', async () => {
    disk = await HeldDisk.of(() => {
      disk?.release();
      return Promise.reject(Object.assign(new Error('on purpose'), { code: 'EIO' }));
    });
    await ann.refused('message.send', MESSAGE, 'unavailable');
    // What others had in memory may be wrong, so everybody comes back.
    for (const client of [ann, bob]) expect((await client.end()).code).toBe(4204);

    const { token } = ann.welcome;
    ann = await greet('websocket', server.port, { token });
    const { message } = await ann.ok('message.send', MESSAGE);
    expect(await ann.ok('message.send', MESSAGE)).toEqual({ message, duplicate: true });
    const { messages, epoch } = await ann.ok('message.history', { room: ROOM });
    expect(messages).toEqual([message]);
    const replay = await ann.ok('room.sync', { room: ROOM, epoch, after: 0 });
    const events = 'complete' in replay && replay.complete ? replay.events : [];
    expect(events.map(({ data }) => data.seq)).toEqual(events.map((_, index) => index + 1));
  });

  test('counts for the bots of a room as well, once it is there', async () => {
    const bots = () => ann.ok('bot.status', { room: ROOM });
    const isIn = async () => (await bots()).bots.length === 1;
    for (const command of ['bot.add', 'bot.remove']) {
      disk = await HeldDisk.of(() => {
        disk?.release();
        return Promise.reject(Object.assign(new Error('on purpose'), { code: 'EIO' }));
      });
      await ann.refused(command, { room: ROOM, bot: 'dice' }, 'unavailable');
      for (const client of [ann, bob]) await client.end();
      const [own, other] = [ann, bob].map(({ welcome }) => ({ token: welcome.token }));
      ann = await greet('websocket', server.port, { ...own });
      bob = await greet('socket.io websocket', server.port, { ...other });
      const isAdded = command === 'bot.add';
      await eventually(async () => (await isIn()) === isAdded, `what ${command} came to`);
    }
  });
});

function isOf(client: TestClient, data: Record<string, unknown>): boolean {
  const { user } = data['member'] as { user: { id: string } };
  return user.id === client.welcome.user.id;
}
