import { Reader } from '#src/database/reader.js';

import { openInMemory } from '../support/channels/in-memory.channel.js';
import { TestClient } from '../support/client.js';
import { eventually } from '../support/eventually.js';
import { startServer, type TestServer } from '../support/server.js';
import { connectClient } from '../support/wire-transports.js';

/** One more than presence names (P-7.2). */
const CROWD = 101;

describe('a server with little memory for rooms', () => {
  let server: TestServer;
  let ann: TestClient;
  let bob: TestClient;

  beforeAll(async () => {
    server = await startServer({ PARLANCE_ROOMS_IN_MEMORY: '2' });
  });

  afterAll(async () => {
    await server.dispose();
  });

  beforeEach(async () => {
    [ann, bob] = [await join('ann'), await join('bob')];
  });

  afterEach(async () => {
    await Promise.all([ann.close(), bob.close()]);
  });

  const join = (name: string) => connectClient('websocket', server.port, { name });

  /** Counts the database reads while `work` runs. */
  async function readsOf(work: () => Promise<unknown>): Promise<number> {
    const reader = server.app.get(Reader);
    const snapshot = reader.snapshot.bind(reader);
    let reads = 0;
    reader.snapshot = (queries) => {
      reads++;
      return snapshot(queries);
    };
    await work();
    reader.snapshot = snapshot;
    return reads;
  }

  /** Creates rooms that no connection is attached to. */
  async function makeRooms(...names: string[]): Promise<void> {
    const maker = await join('maker');
    for (const room of names) await maker.ok('room.join', { room, create: true });
    await maker.close();
  }

  test('lists no users in the presence of a large room, even after other rooms were used', async () => {
    const room = 'large';
    await makeRooms(room);
    for (let n = 0; n < CROWD; n++) {
      const guest = await TestClient.connect((one) => openInMemory(server.inMemory, one));
      await guest.ok('hello', { protocol: 1 });
      await guest.ok('room.join', { room });
      await guest.close();
    }
    const countIs = (expected: number) => ann.event('presence', ({ count }) => count === expected);
    await ann.ok('room.join', { room });
    await countIs(1);
    await bob.ok('room.join', { room });
    await countIs(2);

    await makeRooms('one', 'two', 'three', 'four');
    await bob.close();

    expect(await countIs(1)).toEqual({ room, count: 1 });
    expect(await readsOf(() => ann.ok('room.get', { room }))).toBe(0);
  });

  test('keeps the most recently used rooms in memory', async () => {
    await makeRooms('a', 'b', 'c');
    const get = (room: string) => readsOf(() => ann.ok('room.get', { room }));
    for (const room of ['a', 'b', 'a', 'c']) await get(room);
    const kept = [await get('a'), await get('c')];

    expect(kept).toEqual([0, 0]);
    expect(await get('b')).toBeGreaterThan(0);
  });

  test('evicts a room that no connection is attached to any more', async () => {
    await makeRooms('left', 'other', 'another');
    const get = (room: string) => readsOf(() => bob.ok('room.get', { room }));
    await ann.ok('room.join', { room: 'left' });
    await get('other');
    await get('another');
    const received = await get('left');
    await ann.close();
    const isGone = async () => {
      await get('other');
      await get('another');
      return (await get('left')) > 0;
    };
    await eventually(isGone, 'the room to leave the memory');

    expect(received).toBe(0);
  });
});
