import { setTimeout as sleep } from 'node:timers/promises';
import { request } from 'node:http';

import { io } from 'socket.io-client';

import { Client } from './client.js';
import { fillRoom, populate } from './scenery.js';

/** Connections that the server accepts from one address (`connectionsPerAddress`). */
export const CONNECTIONS = 32;
const LONG_ROOM = 'long';
const CROWD_ROOM = 'crowd';
const CROWD = 100;
const EMOJI = '😀'.repeat(4_000);

/**
 * One kind of attack.
 *
 * @typedef {object} Attack
 * @property {string} name such as the command that it repeats
 * @property {(scene: Scene) => Promise<void>} [setUp] creates what the attack needs
 * @property {(lane: Lane) => Promise<void>} run drives one of its connections until `lane.isOver`
 *
 * @typedef {object} Scene
 * @property {number} port
 *
 * @typedef {Scene & { address: string, index: number, readonly isOver: boolean, count: Count }} Lane
 * @typedef {{ done: number, refused: Record<string, number>, bytes: number }} Count
 */

/** @type {(lane: Lane, hello?: object) => Promise<Client>} */
const connect = (lane, hello) => Client.greet(lane, hello);

/**
 * Returns an attack that sends commands in a loop, four at a time, as fast as the server answers.
 *
 * @param {(lane: Lane, step: number) => [string, object]} next
 * @param {string[]} joins
 * @returns {(lane: Lane) => Promise<void>}
 */
const looping =
  (next, joins = []) =>
  async (lane) => {
    let step = 0;
    do {
      const client = await connect(lane);
      for (const room of joins) await client.ok('room.join', { room });
      const work = async () => {
        do await attempt(lane, client, next(lane, step++));
        while (!lane.isOver && client.isOpen);
      };
      await Promise.all(Array.from({ length: 4 }, work));
      lane.count.bytes += client.bytes;
      client.close();
    } while (!lane.isOver);
  };

/**
 * @param {Lane} lane
 * @param {Client} client
 * @param {[string, object]} command
 */
async function attempt({ count }, client, [cmd, data]) {
  const { ok, error } = await client.call(cmd, data);
  if (ok) {
    count.done++;
    return;
  }
  const reason = String(error?.details?.bucket ?? error?.code);
  count.refused[reason] = (count.refused[reason] ?? 0) + 1;
  if (error?.code === 'rate_limited') await sleep(Math.min(error.retryAfterMs ?? 0, 100));
}

const withLongRoom = async (/** @type {Scene} */ { port }) => fillRoom(port, LONG_ROOM);
const withCrowd = async (/** @type {Scene} */ { port }) => populate(port, CROWD_ROOM, CROWD);

/** @type {Attack[]} */
export const ATTACKS = [
  {
    name: 'message.history',
    setUp: withLongRoom,
    run: looping(() => ['message.history', { room: LONG_ROOM, limit: 100 }], [LONG_ROOM]),
  },
  {
    name: 'message.history at any position',
    setUp: withLongRoom,
    run: looping(
      (_, step) => [
        'message.history',
        { room: LONG_ROOM, limit: 100, before: 40 + ((step * 7) % 60) },
      ],
      [LONG_ROOM],
    ),
  },
  {
    name: 'request-all-msgs of a dialect',
    setUp: async ({ port }) => fillRoom(port, 'general'),
    run: loopingForeign('request-all-msgs'),
  },
  {
    name: 'room.sync',
    setUp: withLongRoom,
    async run(lane) {
      const client = await connect(lane);
      const { epoch } = await client.ok('room.join', { room: LONG_ROOM });
      const work = async () => {
        while (!lane.isOver && client.isOpen) {
          await attempt(lane, client, ['room.sync', { room: LONG_ROOM, epoch, after: 0 }]);
        }
      };
      await Promise.all(Array.from({ length: 4 }, work));
      lane.count.bytes += client.bytes;
      client.close();
    },
  },
  {
    name: 'room.join and room.leave',
    setUp: withCrowd,
    run: looping((_, step) => [step % 2 === 0 ? 'room.join' : 'room.leave', { room: CROWD_ROOM }]),
  },
  {
    name: 'hello',
    async run(lane) {
      while (!lane.isOver) {
        const client = await Client.open(lane);
        await attempt(lane, client, ['hello', { protocol: 1 }]);
        client.close();
      }
    },
  },
  {
    name: 'message.send',
    setUp: withCrowd,
    run: looping(() => ['message.send', { room: CROWD_ROOM, text: EMOJI }], [CROWD_ROOM]),
  },
  {
    name: 'message.edit',
    setUp: withCrowd,
    run: onOwnMessage((message, step) => [
      'message.edit',
      { room: CROWD_ROOM, message, text: `${step} ${EMOJI.slice(0, 7_980)}` },
    ]),
  },
  {
    name: 'message.react',
    setUp: withCrowd,
    run: onOwnMessage((message, step) => [
      step % 2 === 0 ? 'message.react' : 'message.unreact',
      { room: CROWD_ROOM, message, emoji: '👍' },
    ]),
  },
  {
    name: 'typing.set',
    setUp: withCrowd,
    run: looping(
      (_, step) => ['typing.set', { room: CROWD_ROOM, active: step % 2 === 0 }],
      [CROWD_ROOM],
    ),
  },
  { name: 'deep JSON', run: writing(`{"id":1,"cmd":"user.get","data":${nest(10_000)}}`) },
  { name: 'unknown command', run: looping(() => ['message.sent', {}]) },
  { name: 'bad frames', run: writing('{'.repeat(60_000)) },
  { name: 'flood of commands', run: writing('{"id":1,"cmd":"session.ping"}') },
  { name: 'flood of pings', run: pinging },
  {
    name: 'slow reader',
    setUp: withLongRoom,
    async run(lane) {
      while (!lane.isOver) {
        const client = await connect(lane);
        await client.ok('room.join', { room: LONG_ROOM });
        client.socket.pause();
        for (let sent = 0; sent < 20; sent++) {
          client.write(
            JSON.stringify({ id: sent, cmd: 'message.history', data: { room: LONG_ROOM } }),
          );
        }
        lane.count.done++;
        await sleep(500);
        client.close();
      }
    },
  },
  { name: 'polling session', run: polling },
  { name: 'GET of the page', run: getting('/') },
];

/**
 * @param {(message: string, step: number) => [string, object]} next
 * @returns {(lane: Lane) => Promise<void>}
 */
function onOwnMessage(next) {
  return async (lane) => {
    const client = await connect(lane);
    await client.ok('room.join', { room: CROWD_ROOM });
    const { message } = await client.ok('message.send', { room: CROWD_ROOM, text: 'mine' });
    let step = 0;
    do await attempt(lane, client, next(message.id, step++));
    while (!lane.isOver && client.isOpen);
    client.close();
  };
}

/**
 * Returns an attack that writes the same text as fast as possible, and reconnects when closed.
 *
 * @param {string} text
 * @returns {(lane: Lane) => Promise<void>}
 */
function writing(text) {
  return async (lane) => {
    while (!lane.isOver) {
      const client = await Client.open(lane);
      while (!lane.isOver && client.isOpen) {
        client.write(text);
        lane.count.done++;
        if (client.socket.bufferedAmount > 1_000_000 || lane.count.done % 10 === 0) await sleep(1);
      }
      client.close();
    }
  };
}

/** @type {(lane: Lane) => Promise<void>} */
async function pinging(lane) {
  const client = await connect(lane);
  while (!lane.isOver && client.isOpen) {
    for (let sent = 0; sent < 10; sent++) client.socket.ping('x'.repeat(125));
    lane.count.done += 10;
    await sleep(1);
  }
  client.close();
}

/**
 * @param {string} event
 * @returns {(lane: Lane) => Promise<void>}
 */
function loopingForeign(event) {
  return async (lane) => {
    const socket = io(`http://127.0.0.1:${lane.port}`, {
      transports: ['websocket'],
      extraHeaders: { 'X-Forwarded-For': lane.address },
      forceNew: true,
      reconnectionDelay: 100,
    });
    /** @type {() => void} */
    let answered = () => undefined;
    socket.onAny((name, data) => {
      if (name === 'show-all-msgs') lane.count.done++;
      if (name === 'error')
        lane.count.refused[data.code] = (lane.count.refused[data.code] ?? 0) + 1;
      answered();
    });
    while (!lane.isOver) {
      socket.emit(event);
      await Promise.race([
        new Promise((resolve) => (answered = () => resolve(null))),
        sleep(1_000),
      ]);
    }
    socket.close();
  };
}

/**
 * @param {string} path
 * @returns {(lane: Lane) => Promise<void>}
 */
function getting(path) {
  return async (lane) => {
    while (!lane.isOver) await get(lane, path);
  };
}

/** @type {(lane: Lane) => Promise<void>} */
async function polling(lane) {
  while (!lane.isOver) await get(lane, '/socket.io/?EIO=4&transport=polling');
}

/**
 * @param {Lane} lane
 * @param {string} path
 * @returns {Promise<void>}
 */
function get({ port, address, count }, path) {
  return new Promise((resolve) => {
    const headers = { 'X-Forwarded-For': address };
    const sent = request({ port, path, headers, agent: false }, (response) => {
      if (response.statusCode === 200) count.done++;
      else {
        const status = String(response.statusCode);
        count.refused[status] = (count.refused[status] ?? 0) + 1;
      }
      response.on('data', (bytes) => (count.bytes += bytes.length));
      response.on('close', resolve);
    });
    sent.on('error', () => resolve());
    sent.end();
  });
}

/** @param {number} depth */
function nest(depth) {
  return '{"a":'.repeat(depth) + '1' + '}'.repeat(depth);
}
