import { type DataSource } from 'typeorm';

import { readConfig } from '#src/config/config.js';
import { writerDataSource } from '#src/database/data-source.js';
import { MIGRATIONS } from '#src/database/migrations/index.js';
import { Database } from '#src/database/database.js';
import { Writer } from '#src/database/writer.js';
import { MessageEntity } from '#src/store/message.entity.js';
import { ReactionEntity } from '#src/store/reaction.entity.js';
import { MemberEntity } from '#src/store/member.entity.js';
import { RoomEntity } from '#src/store/room.entity.js';
import { UserEntity } from '#src/store/user.entity.js';

import { dropDatabase, freshDatabase, startServer } from '../support/server.js';
import { connectClient } from '../support/wire-transports.js';

const ENTITIES = [UserEntity, RoomEntity, MemberEntity, MessageEntity, ReactionEntity];

let env: Record<string, string>;

beforeEach(async () => {
  env = await freshDatabase();
});

afterEach(() => dropDatabase(env));

/** Runs `body` on an up-to-date database without a server. */
async function withSource(body: (source: DataSource) => Promise<void>): Promise<void> {
  const config = readConfig(env);
  await (await Database.open(config, ENTITIES)).close();
  const source = writerDataSource(config, ENTITIES);
  await source.initialize();
  try {
    await body(source);
  } finally {
    await source.destroy();
  }
}

test('an empty database is migrated once', async () => {
  await withSource(async (source) => {
    expect(await source.showMigrations()).toBe(false);
  });
  await withSource(async (source) => {
    const rows: unknown[] = await source.query('SELECT name FROM migrations');
    expect(rows).toHaveLength(MIGRATIONS.length);
  });
});

test('every column of the entities exists', async () => {
  await withSource(async (source) => {
    for (const { target, columns } of source.entityMetadatas) {
      expect(await source.manager.find(target, { take: 1 })).toEqual([]);
      expect(columns.length).toBeGreaterThan(0);
    }
  });
});

test('every migration can be reverted and run again', async () => {
  await withSource(async (source) => {
    for (const migration of MIGRATIONS) {
      expect(migration.name).toMatch(/\d{13}$/);
      await source.undoLastMigration({ transaction: 'each' });
    }
    expect(await source.runMigrations({ transaction: 'each' })).toHaveLength(MIGRATIONS.length);
  });
});

test('a restarted server has its stored messages and one default room', async () => {
  const first = await startServer(env);
  const client = await connectClient('websocket', first.port, { name: 'ann' });
  await client.ok('room.join', { room: 'general' });
  await client.ok('message.send', { room: 'general', text: 'still there' });
  const { token } = client.welcome;
  await first.stop();
  const second = await startServer(env);
  const back = await connectClient('websocket', second.port, { token });
  const { messages } = await back.ok('message.history', { room: 'general' });
  expect(messages.map(({ text }) => text)).toEqual(['still there']);
  const rooms = await second.app
    .get(Writer)
    .run([], ({ sql }) => sql.all(`SELECT id FROM rooms WHERE id = 'general'`));
  expect(rooms).toHaveLength(1);
  await second.stop();
});

test('events logged before rooms had kinds are replayed with a kind', async () => {
  const server = await startServer(env);
  const client = await connectClient('websocket', server.port, { name: 'ann' });
  const { epoch, info } = await client.ok('room.create', { room: 'old' });
  await server.app.get(Writer).run([], ({ sql }) =>
    sql.run(`UPDATE room_events SET body = REPLACE(body, '"kind":"public",', '')
      WHERE room_id = 'old'`),
  );
  const { token } = client.welcome;
  await server.stop();
  const next = await startServer(env);
  const back = await connectClient('websocket', next.port, { token });
  const page = await back.ok('room.sync', { room: 'old', epoch, after: 0 });
  expect(page).toMatchObject({ events: [{ data: { info: { ...info, memberCount: 0 } } }, {}] });
  await next.stop();
});

test('reactions ❤ and ❤️, which used to be distinct, are merged', async () => {
  const server = await startServer(env);
  const client = await connectClient('websocket', server.port, { name: 'ann' });
  await client.ok('room.join', { room: 'general' });
  const { message } = await client.ok('message.send', { room: 'general', text: 'hi' });
  await client.ok('message.react', { room: 'general', message: message.id, emoji: '❤️' });
  const { token } = client.welcome;
  await server.stop();
  await withSource(async (source) => {
    await source.query("DELETE FROM migrations WHERE name LIKE 'NormalizeReactions%'");
    await source.query(
      "INSERT INTO reactions SELECT message_id, '\u2764', user_id, seq FROM reactions",
    );
    await source.query(
      "INSERT INTO reactions SELECT message_id, '\u270c', user_id, seq FROM reactions WHERE emoji = '\u2764'",
    );
  });
  const next = await startServer(env);
  const back = await connectClient('websocket', next.port, { token });
  const { messages } = await back.ok('message.history', { room: 'general' });
  expect(messages[0]?.reactions.map(({ emoji }) => emoji)).toEqual(['✌️', '❤️']);
  await next.stop();
});

test('rooms of a database without kinds get them', async () => {
  const server = await startServer(env);
  const client = await connectClient('websocket', server.port, { name: 'ann' });
  const other = await connectClient('websocket', server.port, { name: 'bob' });
  await client.ok('room.create', { room: 'old' });
  const { room } = await client.ok('dm.open', { user: other.welcome.user.id });
  await server.stop();
  await withSource(async (source) => {
    for (const { name } of MIGRATIONS.toReversed()) {
      await source.undoLastMigration({ transaction: 'each' });
      if (name.startsWith('AddRoomKinds')) break;
    }
    const columns = await source.query<object[]>('SELECT * FROM rooms');
    expect(columns[0]).not.toHaveProperty('kind');
  });
  await withSource(async (source) => {
    const rooms = await source.manager.find(RoomEntity, { order: { id: 'ASC' } });
    const kinds = new Map(rooms.map(({ id, kind }) => [id, kind]));
    expect(Object.fromEntries(kinds)).toEqual({
      [room]: 'direct',
      [`@me:${client.welcome.user.id}`]: 'own',
      [`@me:${other.welcome.user.id}`]: 'own',
      general: 'public',
      old: 'public',
    });
  });
});
