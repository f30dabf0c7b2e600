import { Writer } from '#src/database/writer.js';

import { startServer, type TestServer } from '../support/server.js';
import { connectClient, type WireTransport } from '../support/wire-transports.js';
import type { TestClient } from '../support/client.js';

const ROOM = 'general';
/** More rooms than one query checks. */
const MANY_ROOMS = 600;
/** So many that separate checks would take longer than a test waits. */
const MANY_GUESTS = 2_500;

let server: TestServer;

function start(seconds: number): Promise<TestServer> {
  return startServer({ PARLANCE_GUEST_AWAY_SECONDS: String(seconds) });
}

afterEach(() => server.dispose());

async function join(name: string, transport: WireTransport = 'websocket'): Promise<TestClient> {
  const client = await connectClient(transport, server.port, { name });
  await client.ok('room.join', { room: ROOM });
  return client;
}

test('a guest who is away too long leaves the rooms; a connected guest stays', async () => {
  server = await start(1);
  const ann = await join('ann');
  const bob = await join('bob', 'socket.io polling');
  await bob.close();
  const left = await ann.event('member.left');
  expect(left).toMatchObject({ user: { name: 'bob' }, reason: 'away', memberCount: 1 });
  const { members } = await ann.ok('room.members', { room: ROOM });
  expect(members.map(({ user }) => user.name)).toEqual(['ann']);
  const back = await connectClient('websocket', server.port, { token: bob.welcome.token ?? '' });
  await back.expectError('room.sync', { room: ROOM }, 'not_member');
  await Promise.all([ann.close(), back.close()]);
});

test('a guest who reconnects in time stays', async () => {
  server = await start(2);
  const ann = await join('ann');
  const bob = await join('bob');
  await bob.close();
  const back = await connectClient('websocket', server.port, { token: bob.welcome.token ?? '' });
  const eve = await join('eve');
  await eve.close();
  // Bob disconnected earlier than eve, so he has been checked by now too.
  await ann.event('member.left', ({ user }) => user.name === 'eve');
  await back.ok('room.sync', { room: ROOM });
  await Promise.all([ann.close(), back.close()]);
});

test('connected guests with many rooms do not hide guests who are away', async () => {
  server = await start(1);
  const ann = await join('ann');
  const { id } = ann.welcome.user;
  await server.app.get(Writer).run([], async ({ sql }) => {
    for (let i = 0; i < MANY_ROOMS; i++) {
      const room = `many-${String(i)}`;
      await sql.run(
        `INSERT INTO rooms (id, kind, title, epoch, head, member_count, created_at)
           VALUES ($1, 'public', $1, 'epoch', 0, 1, 0)`,
        room,
      );
      await sql.run(
        'INSERT INTO members (room_id, user_id, joined_at) VALUES ($1, $2, 0)',
        room,
        id,
      );
    }
  });
  const bob = await join('bob');
  await bob.close();
  const left = await ann.event('member.left');
  expect(left).toMatchObject({ user: { name: 'bob' }, reason: 'away' });
  await ann.close();
});

test('all guests who are away leave at one check, however many they are', async () => {
  server = await start(2);
  const ann = await join('ann');
  await server.app.get(Writer).run([], async ({ sql }) => {
    for (let i = 0; i < MANY_GUESTS; i++) {
      const id = `gone-${String(i)}`;
      await sql.run(`INSERT INTO users VALUES ($1, $1, 'guest', 0, $2)`, id, i % 7);
      await sql.run(
        'INSERT INTO members (room_id, user_id, joined_at) VALUES ($1, $2, 0)',
        ROOM,
        id,
      );
    }
    await sql.run('UPDATE rooms SET member_count = $1 WHERE id = $2', MANY_GUESTS + 1, ROOM);
  });
  // With one check per transaction, these would take longer than a test waits.
  for (const remaining of [1_500, 500, 0]) {
    const left = await ann.event('member.left', ({ memberCount }) => memberCount === remaining + 1);
    expect(left.reason).toBe('away');
  }
  const users = ann.events('member.left').map(({ data }) => data['user'] as { id: string });
  expect(new Set(users.map(({ id }) => id)).size).toBe(MANY_GUESTS);
  const { members } = await ann.ok('room.members', { room: ROOM });
  expect(members.map(({ user }) => user.name)).toEqual(['ann']);
  await ann.close();
});

test('a guest connected at shutdown counts as away from then on, not since the hello', async () => {
  server = await start(1_000);
  const ann = await join('ann');
  await server.app.get(Writer).run([], ({ sql }) => sql.run('UPDATE users SET last_seen_at = 1'));
  const stoppedAt = Date.now();
  await server.stop();
  const { dispose, env } = server;
  server = await startServer(env);
  const [row] = await server.app
    .get(Writer)
    .run([], ({ sql }) => sql.all<{ at: number }>('SELECT last_seen_at AS at FROM users'));
  await ann.close();
  await server.stop();
  await dispose();
  expect(row?.at).toBeGreaterThanOrEqual(stoppedAt);
});
