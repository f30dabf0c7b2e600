import assert from 'node:assert/strict';

import type { Connection } from '#src/chat/connections/connection.js';
import { OpenConnections } from '#src/chat/open-connections.js';
import type { Position } from '#src/protocol/models.js';

import {
  openPausablePolling,
  openPausableSocketIo,
  openPausableWebSocket,
  type PausableChannel,
} from '../support/channels/pausable.channel.js';
import { TestClient } from '../support/client.js';
import { eventually } from '../support/eventually.js';
import { connectAgain, meet } from './meeting.js';
import { range, readCut, readLog, seqsOf } from './reading.js';
import { verifies, type Scene } from './suite.js';

const OPEN = {
  websocket: openPausableWebSocket,
  'socket.io websocket': openPausableSocketIo,
  'socket.io polling': openPausablePolling,
};
const ONLY = Object.keys(OPEN);

/** Enough to fill the buffers of the operating system, whose size varies. */
const ENOUGH_MESSAGES = 4_000;
/** Enough pages of more than 100,000 bytes each to fill those buffers. */
const ENOUGH_PAGES = 100;
const BATCH = 10;
const SHED = 262_144;
/** Maximum bytes of a reply: its data and some bytes of its frame. */
const PAGE = 262_144 + 4_096;
/** 16,000 bytes. */
const LONG_TEXT = '𐐀'.repeat(4_000);
const NEVER_MS = '600000';
const NEVER_BYTES = '1000000000';

/** A member of a room who can stop reading, with the server's side of the connection. */
interface SlowReader {
  readonly client: TestClient;
  readonly channel: PausableChannel;
  readonly connection: Connection;
}

/** Connects a client that can stop reading, and joins a room. */
async function connectSlowReader({ server, transport }: Scene, room: string): Promise<SlowReader> {
  assert(server !== undefined, 'the server is in this process');
  const channels: PausableChannel[] = [];
  const client = await TestClient.connect(async (listener) => {
    const channel = await OPEN[transport as keyof typeof OPEN](server.url, listener);
    channels.push(channel);
    return channel;
  });
  const { user } = await client.ok('hello', { protocol: 1, name: 'slow' });
  await client.ok('room.join', { room });
  const all = [...server.app.get(OpenConnections).all()];
  const connection = all.find(({ session }) => session?.user.id === user.id);
  const [channel] = channels;
  assert(
    channel !== undefined && connection !== undefined,
    'both ends of the connection are known',
  );
  return { client, channel, connection };
}

/** Sends long messages until a condition holds. */
async function flood(client: TestClient, room: string, until: () => boolean): Promise<void> {
  for (let sent = 0; !until(); sent += BATCH) {
    assert(sent < ENOUGH_MESSAGES, `the condition holds within ${String(sent)} messages`);
    const ids = range(1, BATCH).map(() => client.post('message.send', { room, text: LONG_TEXT }));
    await client.reply(ids.at(-1));
  }
}

verifies(
  ['P-9.12', 'P-4.5', 'P-2.14'],
  'closes a client that reads too slowly, and no other',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann', 'bob');
    const [ann, bob] = clients;
    const { client: slow, channel, connection } = await connectSlowReader(scene, room);

    channel.stopReading();
    await flood(ann, room, () => !connection.isOpen);
    channel.readOn();
    const bye = await slow.event('bye');
    const { code } = await slow.end();
    const head = (await readCut(bob, room)).seq;
    await bob.until(() => seqsOf(bob.logged(room)).at(-1) === head, 'all messages');
    const got = seqsOf(slow.logged(room)).at(-1) ?? 5;
    const back = await connectAgain(scene, slow);
    const { epoch } = await back.ok('room.join', { room });
    const missed = await readLog(back, room, { epoch, seq: got });

    assert.deepEqual({ code: bye.code, reconnect: bye.reconnect }, { code: 4202, reconnect: true });
    if (scene.transport !== 'socket.io polling') assert.equal(code, 4202);
    assert.deepEqual(seqsOf(bob.logged(room)), range(4, head), 'the other client gets everything');
    assert.deepEqual(seqsOf([...slow.logged(room), ...missed]), range(5, head));
  },
  {
    settings: {
      PARLANCE_LIMIT_BACKLOG_BYTES: '524288',
      PARLANCE_LIMIT_SHED_BYTES: '262144',
      PARLANCE_LIMIT_STALL_MS: NEVER_MS,
    },
    only: ONLY,
  },
);

verifies(
  'P-9.12',
  'closes a client that reads nothing for too long',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann', 'bob');
    const [ann, bob] = clients;
    const { client: slow, channel, connection } = await connectSlowReader(scene, room);

    channel.stopReading();
    // The operating system may accept more after a while.
    await eventually(async () => {
      await flood(ann, room, () => !connection.isOpen || connection.link.bufferedBytes > 0);
      return !connection.isOpen;
    }, 'the end of the stalled connection');
    channel.readOn();
    const bye = await slow.event('bye');
    await slow.end();
    await bob.roundTrip();

    assert.equal(bye.code, 4202);
  },
  {
    settings: {
      PARLANCE_LIMIT_BACKLOG_BYTES: NEVER_BYTES,
      PARLANCE_LIMIT_SHED_BYTES: NEVER_BYTES,
      PARLANCE_LIMIT_STALL_MS: '300',
    },
    only: ONLY,
  },
);

/** Fills a room with long messages; returns a client that requested many pages and reads none. */
async function connectGreedyReader(scene: Scene): Promise<SlowReader & { asked: string[] }> {
  const { room, clients } = await meet(scene, 'ann');
  const [ann] = clients;
  await flood(ann, room, () => ann.events('message.created').length >= 2 * BATCH);
  const slow = await connectSlowReader(scene, room);
  slow.channel.stopReading();
  const asked = range(1, ENOUGH_PAGES).map((page) =>
    slow.client.post('message.history', { room, before: 30 + page }),
  );
  return { ...slow, asked };
}

verifies(
  'P-9.12',
  'produces no more replies than the client reads, and closes it when it reads none for too long',
  async (scene) => {
    const { client: slow, channel, connection } = await connectGreedyReader(scene);

    let most = 0;
    await eventually(() => {
      most = Math.max(most, connection.link.bufferedBytes);
      return !connection.isOpen;
    }, 'the end of the slow connection');
    channel.readOn();
    const bye = await slow.event('bye');
    await slow.end();

    assert.equal(bye.code, 4202);
    assert(most <= SHED + PAGE, `${String(most)} bytes waited at most`);
  },
  {
    settings: {
      PARLANCE_LIMIT_BACKLOG_BYTES: '524288',
      PARLANCE_LIMIT_SHED_BYTES: String(SHED),
      PARLANCE_LIMIT_STALL_MS: '500',
    },
    only: ONLY,
  },
);

verifies(
  ['P-9.12', 'P-9.7'],
  'sends all replies to a client that asks for a lot and reads late',
  async (scene) => {
    const { client: slow, channel, connection, asked } = await connectGreedyReader(scene);

    await eventually(() => connection.link.bufferedBytes > SHED, 'a backlog');
    channel.readOn();
    for (const id of asked) assert((await slow.reply(id)).ok);

    assert.deepEqual(slow.events('bye'), []);
    await slow.close();
  },
  {
    settings: {
      PARLANCE_LIMIT_BACKLOG_BYTES: '524288',
      PARLANCE_LIMIT_SHED_BYTES: String(SHED),
      PARLANCE_LIMIT_STALL_MS: NEVER_MS,
    },
    only: ONLY,
  },
);

verifies(
  ['P-9.12', 'P-5.12'],
  'resumes no more rooms at once than fit into the backlog',
  async (scene) => {
    const ann = await scene.join('ann');
    const rooms = [scene.room(), scene.room(), scene.room()];
    const resume: Record<string, Position> = {};
    for (const room of rooms) {
      const { epoch, seq } = await ann.ok('room.join', { room, create: true });
      resume[room] = { epoch, seq };
      for (const text of [LONG_TEXT, LONG_TEXT]) await ann.ok('message.send', { room, text });
    }

    const back = await connectAgain(scene, ann, { resume });
    const { resumed } = back.welcome;
    const [first = '', second = '', third = ''] = rooms;
    await back.until(() => back.logged(first).length === 2, 'the missed events of the first room');
    const missed = await readLog(back, third, resume[third] ?? { epoch: '', seq: 0 });

    assert.deepEqual(resumed[first], { complete: true, seq: 4 });
    for (const room of [second, third]) {
      assert.deepEqual(resumed[room], { complete: false, reason: 'behind' });
    }
    assert.deepEqual(seqsOf(missed), [3, 4]);
  },
  { settings: { PARLANCE_LIMIT_SHED_BYTES: '60000' }, only: ONLY },
);

verifies(
  ['P-9.12', 'P-7.1'],
  'drops ephemeral events for slow readers',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann', 'bob');
    const [ann, bob] = clients;
    const { client: slow, channel, connection } = await connectSlowReader(scene, room);

    channel.stopReading();
    await flood(ann, room, () => connection.link.bufferedBytes > 65_536);
    await bob.ok('typing.set', { room, active: true });
    await ann.event('typing');
    channel.readOn();
    const head = (await readCut(bob, room)).seq;
    await slow.until(() => seqsOf(slow.logged(room)).at(-1) === head, 'all messages');
    const typing = slow.events('typing').length;
    await eventually(() => connection.link.bufferedBytes === 0, 'the end of the backlog');
    await bob.ok('typing.set', { room, active: false });
    const { stopped } = await slow.event('typing');
    await slow.close();

    assert.equal(typing, 0, 'no ephemeral event was kept for later');
    assert.deepEqual(stopped, [bob.welcome.user.id]);
    assert.deepEqual(seqsOf(slow.logged(room)), range(5, head), 'no event of the log is dropped');
  },
  {
    settings: {
      PARLANCE_LIMIT_BACKLOG_BYTES: NEVER_BYTES,
      PARLANCE_LIMIT_SHED_BYTES: '65536',
      PARLANCE_LIMIT_STALL_MS: NEVER_MS,
    },
    only: ONLY,
  },
);
