import { type DataSource } from 'typeorm';

import { readConfig } from '#src/config/config.js';
import { writerDataSource } from '#src/database/data-source.js';
import { MIGRATIONS } from '#src/database/migrations/index.js';
import { Database } from '#src/database/database.js';
import { Writer } from '#src/database/writer.js';
import { MessageEntity } from '#src/messages/message.entity.js';
import { ReactionEntity } from '#src/messages/reaction.entity.js';
import { MemberEntity } from '#src/rooms/member.entity.js';
import { RoomEntity } from '#src/rooms/room.entity.js';
import { UserEntity } from '#src/users/user.entity.js';

import { dropDatabase, freshDatabase, startServer } from '../support/server.js';
import { greet } from '../support/wire-transports.js';

const ENTITIES = [UserEntity, RoomEntity, MemberEntity, MessageEntity, ReactionEntity];

let env: Record<string, string>;

beforeEach(async () => {
  env = await freshDatabase();
});

afterEach(() => dropDatabase(env));

/** Opens the database without a server, its schema up to date. */
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

test('an empty database is brought up, once', async () => {
  await withSource(async (source) => {
    expect(await source.showMigrations()).toBe(false);
  });
  await withSource(async (source) => {
    const rows: unknown[] = await source.query('SELECT name FROM migrations');
    expect(rows).toHaveLength(MIGRATIONS.length);
  });
});

test('every column of the entities is there', async () => {
  await withSource(async (source) => {
    for (const { target, columns } of source.entityMetadatas) {
      expect(await source.manager.find(target, { take: 1 })).toEqual([]);
      expect(columns.length).toBeGreaterThan(0);
    }
  });
});

test('every migration can be undone and done again', async () => {
  await withSource(async (source) => {
    for (const migration of MIGRATIONS) {
      expect(migration.name).toMatch(/\d{13}$/);
      await source.undoLastMigration({ transaction: 'each' });
    }
    expect(await source.runMigrations({ transaction: 'each' })).toHaveLength(MIGRATIONS.length);
  });
});

test('a server that starts again finds what it stored, and one default room', async () => {
  const first = await startServer(env);
  const client = await greet('websocket', first.port, { name: 'ann' });
  await client.ok('room.join', { room: 'general' });
  await client.ok('message.send', { room: 'general', text: 'still there' });
  const { token } = client.welcome;
  await first.stop();
  const second = await startServer(env);
  const back = await greet('websocket', second.port, { token });
  const { messages } = await back.ok('message.history', { room: 'general' });
  expect(messages.map(({ text }) => text)).toEqual(['still there']);
  const rooms = await second.app
    .get(Writer)
    .run(({ sql }) => sql.all(`SELECT id FROM rooms WHERE id = 'general'`));
  expect(rooms).toHaveLength(1);
  await second.stop();
});

test('what was logged before rooms had kinds is told with them', async () => {
  const server = await startServer(env);
  const client = await greet('websocket', server.port, { name: 'ann' });
  const { epoch, info } = await client.ok('room.create', { room: 'old' });
  await server.app.get(Writer).run(({ sql }) =>
    sql.run(`UPDATE room_events SET body = REPLACE(body, '"kind":"public",', '')
      WHERE room_id = 'old'`),
  );
  const { token } = client.welcome;
  await server.stop();
  const next = await startServer(env);
  const back = await greet('websocket', next.port, { token });
  const page = await back.ok('room.sync', { room: 'old', epoch, after: 0 });
  expect(page).toMatchObject({ events: [{ data: { info: { ...info, memberCount: 0 } } }, {}] });
  await next.stop();
});
