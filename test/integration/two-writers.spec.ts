import { CONFIG, type Config } from '#src/config/config.js';
import { Reader } from '#src/database/reader.js';
import { MessageFiles } from '#src/messages/message-files.js';
import { MessagesService } from '#src/messages/messages.service.js';
import type { Message } from '#src/protocol/models.js';
import { DirectRooms } from '#src/rooms/direct-rooms.js';
import { RoomsService } from '#src/rooms/rooms.service.js';
import type { Actor, Caller } from '#src/store/actor.js';
import { RoomLog } from '#src/store/room-log.js';
import { BlocksService } from '#src/users/blocks.service.js';
import { UsersService } from '#src/users/users.service.js';

import type { TestClient } from '../support/client.js';
import { PostgresAdmin } from '../support/postgres-admin.js';
import { SecondWriter } from '../support/second-writer.js';
import { startServer, type TestServer } from '../support/server.js';
import { connectClient } from '../support/wire-transports.js';

const ROOMS_PER_USER = 3;

const onPostgres = process.env['TEST_DATABASE'] === 'postgres' ? describe : describe.skip;
const noLimits = { create: () => undefined, join: () => undefined };

onPostgres('a write that waits for another process', () => {
  let server: TestServer;
  let second: SecondWriter;
  let admin: PostgresAdmin;
  let ann: TestClient;
  let bob: TestClient;
  let room: string;
  let count = 0;

  beforeAll(async () => {
    server = await startServer({ PARLANCE_LIMIT_ROOMS_PER_USER: String(ROOMS_PER_USER) });
    second = await SecondWriter.open(server);
    admin = await PostgresAdmin.connect(server);
  });

  beforeEach(async () => {
    room = `room-${String(count++)}`;
    ann = await connectClient('websocket', server.port, { name: 'ann' });
    bob = await connectClient('websocket', server.port, { name: 'bob' });
    for (const client of [ann, bob]) await client.ok('room.join', { room, create: true });
  });

  afterEach(async () => {
    await Promise.all([ann.close(), bob.close()]);
  });

  afterAll(async () => {
    await admin.end();
    await second.close();
    await server.dispose();
  });

  function get<T>(type: abstract new (...given: never[]) => T): T {
    return server.app.get(type, { strict: false });
  }

  function rooms(): RoomsService {
    const config = server.app.get<Config>(CONFIG, { strict: false });
    return new RoomsService(config, second.writer, get(Reader), get(RoomLog), get(UsersService));
  }

  function messages(): MessagesService {
    const config = server.app.get<Config>(CONFIG, { strict: false });
    const more = [get(RoomLog), get(MessageFiles), get(DirectRooms)] as const;
    return new MessagesService(config, second.writer, ...more);
  }

  function blocks(): BlocksService {
    const config = server.app.get<Config>(CONFIG, { strict: false });
    const more = [get(Reader), get(RoomLog), get(UsersService)] as const;
    return new BlocksService(config, second.writer, ...more);
  }

  /** Returns a user as the other process knows them. */
  function callerOf({ welcome }: TestClient): Caller {
    const { user, me } = welcome;
    const actor: Actor = { ...user, ownEpoch: me.epoch };
    return { actor, onQueued: () => undefined };
  }

  /** Sends a command that has to wait for an open write of the other process. */
  async function meanwhile(
    write: () => Promise<unknown>,
    client: TestClient,
    ...command: [cmd: string, data: object]
  ): Promise<object> {
    const open = await second.begin(write);
    const id = client.post(...command);
    try {
      await admin.untilBlocked(second.pid);
    } finally {
      await open.commit();
    }
    return client.reply(id);
  }

  async function eventsOf(log: string): Promise<string[]> {
    const rows = await second.run([], ({ sql }) =>
      sql.all<{ type: string }>(
        'SELECT type FROM room_events WHERE room_id = $1 ORDER BY seq',
        log,
      ),
    );
    return rows.map(({ type }) => type);
  }

  test('a message of a user who has just left is refused', async () => {
    const leave = () => rooms().leave(callerOf(bob), room);
    const reply = await meanwhile(leave, bob, 'message.send', { room, text: 'late' });
    expect(reply).toMatchObject({ error: { code: 'not_member' } });
    expect((await eventsOf(room)).at(-1)).toBe('member.left');
  });

  test('an edit does not bring back the text of a deleted message', async () => {
    const { message } = await ann.ok('message.send', { room, text: 'secret' });
    const target = { room, message: message.id };
    const remove = () => messages().delete(callerOf(ann), target);
    const reply = await meanwhile(remove, ann, 'message.edit', { ...target, text: 'again' });
    expect(reply).toMatchObject({ error: { code: 'message_deleted' } });
    const { messages: found } = await ann.ok('message.history', { room });
    expect(found).toMatchObject([{ id: message.id, text: '' }]);
  });

  test('a message with the cid of a new one is answered as a repeat', async () => {
    const data = { room, text: 'once', cid: 'once' };
    const send = () => messages().send(callerOf(ann), data);
    const reply = await meanwhile(send, ann, 'message.send', data);
    expect(reply).toMatchObject({ ok: true, data: { duplicate: true } });
    const { message } = (reply as { data: { message: Message } }).data;
    const { messages: found } = await ann.ok('message.history', { room });
    expect(found).toEqual([message]);
  });

  test('a room is created once', async () => {
    const created = `${room}-new`;
    const create = () => rooms().create(callerOf(ann), { room: created }, () => undefined);
    const reply = await meanwhile(create, bob, 'room.create', { room: created });
    expect(reply).toMatchObject({ error: { code: 'room_exists' } });
    expect(await eventsOf(created)).toEqual(['room.created', 'member.joined']);
  });

  test('the rooms of a user are counted together', async () => {
    for (let nth = 2; nth < ROOMS_PER_USER; nth++) {
      await ann.ok('room.join', { room: `${room}-${String(nth)}`, create: true });
    }
    const join = () => rooms().join(callerOf(ann), { room: `${room}-x`, create: true }, noLimits);
    const other = { room: `${room}-y`, create: true };
    const reply = await meanwhile(join, ann, 'room.join', other);
    expect(reply).toMatchObject({ error: { code: 'limit_reached' } });
    expect(await eventsOf(other.room)).toEqual([]);
  });

  test('a rename reaches a room that the user has just joined', async () => {
    const joined = `${room}-joined`;
    await bob.ok('room.join', { room: joined, create: true });
    const join = () => rooms().join(callerOf(ann), { room: joined }, noLimits);
    const reply = await meanwhile(join, ann, 'user.update', { name: 'anna' });
    expect(reply).toMatchObject({ ok: true });
    expect((await eventsOf(joined)).slice(-2)).toEqual(['member.joined', 'user.updated']);
  });

  test('a message of a user who has just been blocked is refused', async () => {
    const { room: direct } = await ann.ok('dm.open', { user: bob.welcome.user.id });
    const block = () => blocks().block(callerOf(bob), ann.welcome.user.id, undefined);
    const reply = await meanwhile(block, ann, 'message.send', { room: direct, text: 'hi' });
    expect(reply).toMatchObject({ error: { code: 'blocked' } });
  });

  test('a direct room is not opened by a user who has just been blocked', async () => {
    const block = () => blocks().block(callerOf(bob), ann.welcome.user.id, undefined);
    const reply = await meanwhile(block, ann, 'dm.open', { user: bob.welcome.user.id });
    expect(reply).toMatchObject({ error: { code: 'blocked' } });
  });
});
