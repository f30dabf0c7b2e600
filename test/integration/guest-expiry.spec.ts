import { Writer } from '#src/database/writer.js';

import { startServer, type TestServer } from '../support/server.js';
import { greet, type WireTransport } from '../support/wire-transports.js';
import type { TestClient } from '../support/client.js';

const ROOM = 'general';
/** More than are looked at together. */
const MANY_ROOMS = 600;
/** So many that several looks would take longer than a test waits. */
const MANY_GUESTS = 2_500;

let server: TestServer;

function start(seconds: number): Promise<TestServer> {
  return startServer({ PARLANCE_GUEST_AWAY_SECONDS: String(seconds) });
}

afterEach(() => server.dispose());

async function join(name: string, transport: WireTransport = 'websocket'): Promise<TestClient> {
  const client = await greet(transport, server.port, { name });
  await client.ok('room.join', { room: ROOM });
  return client;
}

test('a guest who is away too long leaves the rooms, one who is here stays', async () => {
  server = await start(1);
  const ann = await join('ann');
  const bob = await join('bob', 'socket.io polling');
  await bob.close();
  const left = await ann.event('member.left');
  expect([left.user.name, left.reason, left.memberCount]).toEqual(['bob', 'away', 1]);
  const { members } = await ann.ok('room.members', { room: ROOM });
  expect(members.map(({ user }) => user.name)).toEqual(['ann']);
  const back = await greet('websocket', server.port, { token: bob.welcome.token ?? '' });
  await back.refused('room.sync', { room: ROOM }, 'not_member');
  await Promise.all([ann.close(), back.close()]);
});

test('a guest who comes back in time stays', async () => {
  server = await start(2);
  const ann = await join('ann');
  const bob = await join('bob');
  await bob.close();
  const back = await greet('websocket', server.port, { token: bob.welcome.token ?? '' });
  const eve = await join('eve');
  await eve.close();
  // Bob went before her: by now it was looked at him too.
  await ann.event('member.left', ({ user }) => user.name === 'eve');
  await back.ok('room.sync', { room: ROOM });
  await Promise.all([ann.close(), back.close()]);
});

test('guests who are here, however many rooms they are in, hide nobody who is away', async () => {
  server = await start(1);
  const ann = await join('ann');
  const { id } = ann.welcome.user;
  await server.app.get(Writer).run(async ({ sql }) => {
    for (let i = 0; i < MANY_ROOMS; i++) {
      const room = `many-${String(i)}`;
      await sql.run('INSERT INTO members (room_id, user_id, joined_at) VALUES (?, ?, 0)', room, id);
    }
  });
  const bob = await join('bob');
  await bob.close();
  const left = await ann.event('member.left');
  expect([left.user.name, left.reason]).toEqual(['bob', 'away']);
  await ann.close();
});

test('all who are away leave at one look, however many they are', async () => {
  server = await start(2);
  const ann = await join('ann');
  await server.app.get(Writer).run(async ({ sql }) => {
    for (let i = 0; i < MANY_GUESTS; i++) {
      const id = `gone-${String(i)}`;
      await sql.run(`INSERT INTO users VALUES (?, ?, 'guest', 0, ?)`, id, id, i % 7);
      await sql.run('INSERT INTO members (room_id, user_id, joined_at) VALUES (?, ?, 0)', ROOM, id);
    }
    await sql.run('UPDATE rooms SET member_count = ? WHERE id = ?', MANY_GUESTS + 1, ROOM);
  });
  // As many as would take longer than a test waits, if there were a look for each transaction.
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

test('who is here when the server stops is away from then on, not from the hello on', async () => {
  server = await start(1_000);
  const ann = await join('ann');
  await server.app.get(Writer).run(({ sql }) => sql.run('UPDATE users SET last_seen_at = 1'));
  const stoppedAt = Date.now();
  await server.stop();
  const { dispose, env } = server;
  server = await startServer(env);
  const [row] = await server.app
    .get(Writer)
    .run(({ sql }) => sql.all<{ at: number }>('SELECT last_seen_at AS at FROM users'));
  await ann.close();
  await server.stop();
  await dispose();
  expect(row?.at).toBeGreaterThanOrEqual(stoppedAt);
});
