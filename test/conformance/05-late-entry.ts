import assert from 'node:assert/strict';

import { OpenConnections } from '#src/chat/open-connections.js';
import { ActiveRooms } from '#src/rooms/active-rooms.js';

import type { TestClient } from '../support/client.js';
import { eventually } from '../support/eventually.js';
import { HeldReader } from '../support/held-reader.js';
import { PostgresAdmin } from '../support/postgres-admin.js';
import type { TestServer } from '../support/server.js';
import { connectAgain, meet, say, sendMany } from './meeting.js';
import { readCut, replay } from './reading.js';
import { verifies, type Scene } from './suite.js';

/** Enough messages to evict the first ones from memory. */
const MANY = 300;
const LONG_RESUME = { settings: { PARLANCE_LIMIT_RESUME_EVENTS: '1000' } };

function serverOf({ server }: Scene): TestServer {
  assert(server !== undefined, 'the server is in this process');
  return server;
}

/** Waits until a command of the newest connection is in flight. */
async function untilInFlight({ app }: TestServer): Promise<void> {
  const open = app.get(OpenConnections);
  const isInFlight = (): boolean => {
    const newest = [...open.all()].at(-1);
    return newest !== undefined && open.intakeOf(newest)?.inFlight === 1;
  };
  await eventually(isInFlight, 'a command that waits for the database');
}

/** Makes a member leave while another connection of the same user waits to attach. */
async function leaveWhileAttaching(
  scene: Scene,
  room: string,
  member: TestClient,
  attach: () => string,
): Promise<string> {
  const server = serverOf(scene);
  const reads = HeldReader.hold(server);
  const id = attach();
  await untilInFlight(server);
  await member.ok('room.leave', { room });
  await reads.release();
  return id;
}

verifies(
  ['P-5.6', 'P-5.11'],
  'does not attach a user who leaves during a sync',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann', 'bob');
    const [ann, bob] = clients;
    const { epoch } = await readCut(ann, room);
    await sendMany(ann, room, MANY);
    const bobToo = await connectAgain(scene, bob);

    const id = await leaveWhileAttaching(scene, room, bob, () =>
      bobToo.post('room.sync', { room, epoch, after: 1 }),
    );
    const reply = await bobToo.reply(id);
    await say(ann, room, 'not for bob');
    await bobToo.roundTrip();

    assert.equal(reply.ok ? 'ok' : reply.error.code, 'not_member');
    assert.deepEqual(bobToo.logged(room), []);
  },
  { settings: {} },
);

verifies(
  ['P-5.6', 'P-5.12'],
  'does not attach a user who leaves during a resume',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann', 'bob');
    const [ann, bob] = clients;
    const { epoch } = await readCut(ann, room);
    await sendMany(ann, room, MANY);
    const bobToo = await scene.connect();
    const hello = { protocol: 1, token: bob.welcome.token, resume: { [room]: { epoch, seq: 1 } } };

    const id = await leaveWhileAttaching(scene, room, bob, () => bobToo.post('hello', hello));
    await bobToo.reply(id);
    await say(ann, room, 'not for bob');
    await bobToo.roundTrip();

    assert.deepEqual(bobToo.welcome.resumed, { [room]: { complete: false, reason: 'not_found' } });
    assert.deepEqual(bobToo.logged(room), []);
  },
  LONG_RESUME,
);

verifies(
  ['P-5.11', 'P-5.8'],
  'loses no event of a room that is evicted from memory during a sync',
  async (scene) => {
    const server = serverOf(scene);
    const { room, clients } = await meet(scene, 'ann', 'bob');
    const [ann, bob] = clients;
    const { epoch, seq: joined } = await readCut(ann, room);
    await sendMany(ann, room, MANY);
    const bobToo = await connectAgain(scene, bob);
    const admin = await PostgresAdmin.connect(server);

    await admin.lock('messages');
    const synced = replay(bobToo, room, { epoch, seq: 1 });
    await admin.untilBlocked();
    // Evicts the room, as when other rooms need its place.
    server.app.get(ActiveRooms).reverted(room);
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
    needs: { database: 'postgres', because: 'SQLite reads a page in one step' },
  },
);
