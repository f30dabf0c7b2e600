import assert from 'node:assert/strict';

import type { WebSocket } from 'ws';

import { ack, openSocketIoPackets } from '../support/packets.js';
import { Eio3Polling } from '../support/eio3-polling.js';
import { Polling } from '../support/polling.js';
import { openRaw } from '../support/raw-websocket.js';
import { meet } from './meeting.js';
import { readHistory } from './reading.js';
import { verifies, type Scene } from './suite.js';

const FRAME = { settings: { PARLANCE_LIMIT_FRAME_BYTES: '2048' } };
const PING = '{"id":1,"cmd":"session.ping","data":{}}';
const PING_PACKET = '421["session.ping",{}]';

/** Returns the URL of the server of a scene. */
function urlOf({ server }: Scene): string {
  assert(server !== undefined, 'the server is in this process');
  return server.url;
}

const webSocketUrl = (scene: Scene): string => `${urlOf(scene).replace('http', 'ws')}/ws`;

verifies(
  'P-9.2',
  'closes a WebSocket with 1009 on a frame that is too large',
  async (scene) => {
    const raw = await openRaw(webSocketUrl(scene));

    raw.socket.send(PING.padEnd(2_048));
    await raw.client.reply(1);
    raw.socket.send(PING.padEnd(2_047, '\t') + '\u00e9');
    const { code } = await raw.client.end();

    assert.equal(code, 1009);
    assert.deepEqual(raw.client.events('bye'), []);
  },
  { ...FRAME, only: ['websocket'] },
);

verifies(
  'P-9.2',
  'closes Socket.IO over WebSocket with 1009 on a frame that is too large',
  async (scene) => {
    const raw = await openSocketIoPackets(urlOf(scene));

    raw.socket.send(PING_PACKET.padEnd(2_048));
    await ack(raw, 1);
    raw.socket.send(PING_PACKET.padEnd(2_049));
    const { code } = await raw.client.end();

    assert.equal(code, 1009);
  },
  { ...FRAME, only: ['socket.io websocket'] },
);

verifies(
  'P-9.2',
  'answers a polling request with a body that is too large with 413',
  async (scene) => {
    const session = await Polling.open(urlOf(scene));
    await session.post('40');
    await session.poll();

    const largest = await session.post(PING_PACKET.padEnd(2_048));
    const packets = await session.poll();
    const larger = await session.post(PING_PACKET.padEnd(2_049));

    assert.deepEqual({ largest, larger }, { largest: 200, larger: 413 });
    assert(
      packets.some((text) => text.startsWith('431[')),
      packets.join(' '),
    );
    await session.post('1');
  },
  { ...FRAME, only: ['socket.io polling'] },
);

verifies(
  'P-9.2',
  'answers a frame in memory that is too large with bad_frame',
  async (scene) => {
    const client = await scene.join('ann');
    const frame = (bytes: number) => {
      const empty = { id: bytes, cmd: 'session.ping', data: { pad: '' } };
      const pad = 'x'.repeat(bytes - JSON.stringify(empty).length);
      return { ...empty, data: { pad } };
    };

    client.send(frame(2_048));
    client.send(frame(2_049));
    const largest = await client.reply(2_048);
    const { error } = await client.event('error');

    assert.equal(largest.ok ? '' : largest.error.code, 'invalid', 'it was read');
    assert.equal(error.code, 'bad_frame');
    await client.roundTrip();
  },
  { ...FRAME, only: ['in-memory'] },
);

/** Sends a text in a number of fragments. */
function sendFragments(socket: WebSocket, text: string, count: number): void {
  for (let sent = 1; sent < count; sent++) socket.send(text.charAt(sent - 1), { fin: false });
  socket.send(text.slice(count - 1), { fin: true });
}

verifies(
  'P-9.2',
  'closes a WebSocket with 1008 on too many fragments',
  async (scene) => {
    const raw = await openRaw(webSocketUrl(scene));
    const packets = await openSocketIoPackets(urlOf(scene));

    sendFragments(raw.socket, PING, 4);
    sendFragments(packets.socket, PING_PACKET, 4);
    await raw.client.reply(1);
    await ack(packets, 1);
    sendFragments(raw.socket, PING, 5);
    sendFragments(packets.socket, PING_PACKET, 5);
    const codes = [(await raw.client.end()).code, (await packets.client.end()).code];

    assert.deepEqual(codes, [1008, 1008]);
    assert.deepEqual(raw.client.events('bye'), []);
  },
  { settings: { PARLANCE_LIMIT_FRAGMENTS: '4' }, only: ['websocket'] },
);

verifies(
  'P-9.5',
  'rejects a whole polling request with too many packets',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann');
    const [ann] = clients;
    const hello = `420["hello",${JSON.stringify({ protocol: 1, token: ann.welcome.token })}]`;
    const send = (text: string) => `42["message.send",${JSON.stringify({ room, text })}]`;
    const sessions = [await Polling.open(urlOf(scene)), await Eio3Polling.open(urlOf(scene))];

    for (const [index, session] of sessions.entries()) {
      const few = [send('one'), send('two'), send('three')];
      if (session instanceof Polling) await session.post('40');
      const taken = await session.post(hello, ...few);
      await ann.event('message.created', ({ message }) => message.text === 'three');
      await session.post(send('a'), send('b'), send('c'), send('d'), send('e'));
      const after = await session.post(send('f'));

      assert.equal(taken, 200);
      assert.equal(after, 400, 'the session is closed');
      assert.equal((await readHistory(ann, room)).length, 3 * (index + 1), 'nothing took effect');
    }
  },
  { settings: { PARLANCE_LIMIT_POLLING_PACKETS: '4' }, only: ['socket.io polling'] },
);

verifies(
  ['P-9.5', 'P-10.3'],
  'does not support JSONP polling, which hides packets in a form',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann');
    const [ann] = clients;
    const data = JSON.stringify({ protocol: 1, token: ann.welcome.token });
    const packets = ['40', `420["hello",${data}]`, ...Array<string>(5).fill(PING_PACKET)];
    packets.push(`42["message.send",${JSON.stringify({ room, text: 'hidden' })}]`);

    for (const revision of [3, 4]) {
      const base = `${urlOf(scene)}/socket.io/?EIO=${String(revision)}&transport=polling`;
      const opened = await fetch(`${base}&j=0`);
      const session = /"sid":"([^"]+)"/.exec(await (await fetch(base)).text())?.[1] ?? '';
      const lengths = packets.map((packet) => `${String(packet.length)}:${packet}`);
      const d = revision === 3 ? lengths.join('') : packets.join('\x1e');
      const body = new URLSearchParams({ d });
      const sent = await fetch(`${base}&sid=${session}&j=0`, { method: 'POST', body });
      const end = revision === 3 ? '1:1' : '1';
      await fetch(`${base}&sid=${session}`, { method: 'POST', body: end });

      assert.deepEqual({ opened: opened.status, sent: sent.status }, { opened: 400, sent: 400 });
    }
    assert.deepEqual(await readHistory(ann, room), [], 'nothing took effect');
  },
  { settings: { PARLANCE_LIMIT_POLLING_PACKETS: '4' }, only: ['socket.io polling'] },
);
