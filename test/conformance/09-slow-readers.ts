import assert from 'node:assert/strict';

import type { Connection } from '#src/chat/connection.js';
import { OpenConnections } from '#src/chat/open-connections.js';

import {
  openPausablePolling,
  openPausableSocketIo,
  openPausableWebSocket,
  type PausableChannel,
} from '../support/channels/pausable.channel.js';
import { TestClient } from '../support/client.js';
import { eventually } from '../support/eventually.js';
import { again, meet } from './meeting.js';
import { range, readCut, readLog, seqsOf } from './reading.js';
import { verifies, type Scene } from './suite.js';

const OPEN = {
  websocket: openPausableWebSocket,
  'socket.io websocket': openPausableSocketIo,
  'socket.io polling': openPausablePolling,
};
const ONLY = Object.keys(OPEN);

/** What the operating system takes off the server's hands is much, and nobody can tell how much. */
const ENOUGH_MESSAGES = 4_000;
/** Of more than 100,000 bytes each. */
const ENOUGH_PAGES = 100;
const BATCH = 10;
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

/** Connects one who will stop reading, and joins a room. */
async function slowReader({ server, transport }: Scene, room: string): Promise<SlowReader> {
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
  assert(channel !== undefined && connection !== undefined, 'both sides are there');
  return { client, channel, connection };
}

/** Sends long messages until something has come about. */
async function flood(client: TestClient, room: string, until: () => boolean): Promise<void> {
  for (let sent = 0; !until(); sent += BATCH) {
    assert(sent < ENOUGH_MESSAGES, `it came about within ${String(sent)} messages`);
    const ids = range(1, BATCH).map(() => client.post('message.send', { room, text: LONG_TEXT }));
    await client.reply(ids.at(-1));
  }
}

verifies(
  ['P-9.12', 'P-4.5', 'P-2.14'],
  'closes who reads too slowly, and nobody else',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann', 'bob');
    const [ann, bob] = clients;
    const { client: slow, channel, connection } = await slowReader(scene, room);

    channel.stopReading();
    await flood(ann, room, () => !connection.isOpen);
    channel.readOn();
    const bye = await slow.event('bye');
    const { code } = await slow.end();
    const head = (await readCut(bob, room)).seq;
    await bob.until(() => seqsOf(bob.logged(room)).at(-1) === head, 'all messages');
    const got = seqsOf(slow.logged(room)).at(-1) ?? 5;
    const back = await again(scene, slow);
    const { epoch } = await back.ok('room.join', { room });
    const missed = await readLog(back, room, { epoch, seq: got });

    assert.deepEqual([bye.code, bye.reconnect], [4202, true]);
    if (scene.transport !== 'socket.io polling') assert.equal(code, 4202);
    assert.deepEqual(seqsOf(bob.logged(room)), range(4, head), 'the others got everything');
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
  'closes who reads nothing for a time',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann', 'bob');
    const [ann, bob] = clients;
    const { client: slow, channel, connection } = await slowReader(scene, room);

    channel.stopReading();
    await flood(ann, room, () => connection.link.bufferedBytes > 0);
    await eventually(() => !connection.isOpen, 'the end of the stalled connection');
    channel.readOn();
    const bye = await slow.event('bye');
    await slow.end();
    await bob.settled();

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

verifies(
  'P-9.12',
  'closes who asks for much and does not read it',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann');
    const [ann] = clients;
    await flood(ann, room, () => ann.events('message.created').length >= 2 * BATCH);
    const { client: slow, channel, connection } = await slowReader(scene, room);

    channel.stopReading();
    for (const asked of range(1, ENOUGH_PAGES))
      slow.post('message.history', { room, before: 30 + asked });
    await eventually(() => !connection.isOpen, 'the end of the slow connection');
    channel.readOn();
    const bye = await slow.event('bye');
    await slow.end();
    await ann.settled();

    assert.equal(bye.code, 4202);
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
  ['P-9.12', 'P-7.1'],
  'leaves out ephemeral events for who reads slowly',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann', 'bob');
    const [ann, bob] = clients;
    const { client: slow, channel, connection } = await slowReader(scene, room);

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
    const { active } = await slow.event('typing');
    await slow.close();

    assert.equal(typing, 0, 'nothing ephemeral was kept for later');
    assert.equal(active, false);
    assert.deepEqual(
      seqsOf(slow.logged(room)),
      range(5, head),
      'events of the log are not left out',
    );
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
