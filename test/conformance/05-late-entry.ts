import assert from 'node:assert/strict';

import { OpenConnections } from '#src/chat/open-connections.js';
import { ActiveRooms } from '#src/rooms/active-rooms.js';

import type { TestClient } from '../support/client.js';
import { eventually } from '../support/eventually.js';
import { HeldReader } from '../support/held-reader.js';
import { PostgresAdmin } from '../support/postgres-admin.js';
import type { TestServer } from '../support/server.js';
import { again, chatter, meet, say } from './meeting.js';
import { readCut, replay } from './reading.js';
import { verifies, type Scene } from './suite.js';

/** So many that the first are no longer in memory. */
const MANY = 300;
const LONG_RESUME = { settings: { PARLANCE_LIMIT_RESUME_EVENTS: '1000' } };

function serverOf({ server }: Scene): TestServer {
  assert(server !== undefined, 'the server is in this process');
  return server;
}

/** Waits until the newest connection has a command in work. */
async function atWork({ app }: TestServer): Promise<void> {
  const newest = () => [...app.get(OpenConnections).all()].at(-1);
  await eventually(() => newest()?.inFlight === 1, 'a command that waits for the database');
}

/** Has a member leave while another connection of the same user waits to enter. */
async function leaveMeanwhile(
  scene: Scene,
  room: string,
  member: TestClient,
  enter: () => string,
): Promise<string> {
  const server = serverOf(scene);
  const reads = HeldReader.of(server);
  const id = enter();
  await atWork(server);
  await member.ok('room.leave', { room });
  reads.release();
  return id;
}

verifies(
  ['P-5.6', 'P-5.11'],
  'attaches nobody by a sync who leaves before it is done',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann', 'bob');
    const [ann, bob] = clients;
    const { epoch } = await readCut(ann, room);
    await chatter(ann, room, MANY);
    const bobToo = await again(scene, bob);

    const id = await leaveMeanwhile(scene, room, bob, () =>
      bobToo.post('room.sync', { room, epoch, after: 1 }),
    );
    const reply = await bobToo.reply(id);
    await say(ann, room, 'not for bob');
    await bobToo.settled();

    assert.equal(reply.ok ? 'ok' : reply.error.code, 'not_member');
    assert.deepEqual(bobToo.logged(room), []);
  },
  { settings: {} },
);

verifies(
  ['P-5.6', 'P-5.12'],
  'attaches nobody by a resume who leaves before it is done',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann', 'bob');
    const [ann, bob] = clients;
    const { epoch } = await readCut(ann, room);
    await chatter(ann, room, MANY);
    const bobToo = await scene.connect();
    const hello = { protocol: 1, token: bob.welcome.token, resume: { [room]: { epoch, seq: 1 } } };

    const id = await leaveMeanwhile(scene, room, bob, () => bobToo.post('hello', hello));
    await bobToo.reply(id);
    await say(ann, room, 'not for bob');
    await bobToo.settled();

    assert.deepEqual(bobToo.welcome.resumed, { [room]: { complete: false, reason: 'not_found' } });
    assert.deepEqual(bobToo.logged(room), []);
  },
  LONG_RESUME,
);

verifies(
  ['P-5.11', 'P-5.8'],
  'misses nothing of a room that leaves the memory during a sync',
  async (scene) => {
    const server = serverOf(scene);
    const { room, clients } = await meet(scene, 'ann', 'bob');
    const [ann, bob] = clients;
    const { epoch, seq: joined } = await readCut(ann, room);
    await chatter(ann, room, MANY);
    const bobToo = await again(scene, bob);
    const admin = await PostgresAdmin.beside(server);

    await admin.lock('messages');
    const synced = replay(bobToo, room, { epoch, seq: 1 });
    await admin.untilBlocked();
    // As when others take its place.
    server.app.get(ActiveRooms).lost();
    await ann.ok('room.update', { room, title: 'Meanwhile' });
    await admin.unlock();
    const page = await synced;
    await admin.end();
    const last = await say(ann, room, 'and on');
    await bobToo.event('message.created', ({ message }) => message.id === last.id);

    assert(page.complete && !page.hasMore);
    assert.equal(page.seq, joined + MANY + 1);
    assert.equal(page.events.at(-1)?.event, 'room.updated');
  },
  {
    settings: {},
    needs: { database: 'postgres', because: 'SQLite reads a page in one go' },
  },
);
