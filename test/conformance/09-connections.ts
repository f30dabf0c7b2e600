import assert from 'node:assert/strict';

import { OpenConnections } from '#src/chat/open-connections.js';

import type { TestClient } from '../support/client.js';
import { eventually } from '../support/eventually.js';
import { HeldWriter } from '../support/held-writer.js';
import { connectAgain, meet } from './meeting.js';
import { range, readHistory } from './reading.js';
import { verifies, type Scene } from './suite.js';

const FEW_IN_FLIGHT = {
  PARLANCE_LIMIT_IN_FLIGHT: '2',
  PARLANCE_LIMIT_POLLING_PACKETS: '1000',
};

verifies(
  ['P-9.7', 'P-3.4'],
  'answers pipelined commands in order',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann');
    const [ann] = clients;

    const ids = range(1, 200).map((number) =>
      number % 4 === 0
        ? ann.post('session.ping')
        : ann.post('message.send', { room, text: String(number) }),
    );
    const replies = await Promise.all(ids.map((id) => ann.reply(id)));

    assert(
      replies.every(({ ok }) => ok),
      'none is refused',
    );
    const order = (ann.frames as { re?: string }[]).flatMap(({ re }) => re ?? []);
    assert.deepEqual(order.slice(-200), ids);
    assert.deepEqual(
      (await readHistory(ann, room)).map(({ text }) => Number(text)),
      range(1, 200).filter((number) => number % 4 !== 0),
    );
  },
  { settings: FEW_IN_FLIGHT },
);

/** Returns the number of commands of a user that wait on the server. */
function waitingFor({ server }: Scene, { welcome }: TestClient): number {
  assert(server !== undefined, 'the server is in this process');
  const open = server.app.get(OpenConnections);
  const own = [...open.all()].filter(({ session }) => session?.user.id === welcome.user.id);
  return own.reduce((sum, connection) => sum + (open.intakeOf(connection)?.inFlight ?? 0), 0);
}

verifies(
  'P-9.7',
  'stops reading while too many commands wait',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann', 'bob');
    const [ann, bob] = clients;
    const text = 'x'.repeat(4_000);
    const total = 2_000;

    const held = await HeldWriter.hold(scene.server);
    const ids = range(1, total).map(() => ann.post('message.send', { room, text }));
    await held.untilQueued(2);
    for (const ping of range(1, 100)) await bob.roundTrip().then(() => ping);
    const waiting = waitingFor(scene, ann);
    held.release();
    for (const id of ids.filter((_, index) => index % 100 === 99)) {
      assert.equal((await ann.reply(id)).ok, true);
    }
    await ann.until(() => ann.events('message.created').length === total, 'all messages');

    // The commands from one read of the socket are already in flight.
    assert(waiting >= 2 && waiting < 100, `${String(waiting)} commands wait`);
  },
  { settings: FEW_IN_FLIGHT, only: ['websocket', 'socket.io websocket'] },
);

verifies(
  ['P-9.7', 'P-4.5'],
  'closes a polling client when too many commands wait',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann', 'bob');
    const [ann, bob] = clients;

    const held = await HeldWriter.hold(scene.server);
    for (const number of range(1, 256)) ann.post('message.send', { room, text: String(number) });
    await held.untilQueued(256);
    const { closedAs } = ann;
    ann.post('message.send', { room, text: '257' });
    const bye = await ann.event('bye');
    await ann.end();
    held.release();
    await bob.roundTrip();

    assert.equal(closedAs, undefined, 'the connection is open at the limit');
    assert.deepEqual({ code: bye.code, reconnect: bye.reconnect }, { code: 4101, reconnect: true });
  },
  { settings: FEW_IN_FLIGHT, only: ['socket.io polling'] },
);

verifies(
  ['P-9.7', 'P-10.4'],
  'neither loses nor refuses commands that a program sends at once',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann');
    const [ann] = clients;

    const ids = range(1, 400).map((number) =>
      ann.post('message.send', { room, text: String(number) }),
    );
    const last = await ann.reply(ids.at(-1));

    assert.equal(last.ok, true);
    assert.deepEqual(
      (await readHistory(ann, room)).map(({ text }) => Number(text)),
      range(1, 400),
    );
  },
  { settings: FEW_IN_FLIGHT, only: ['in-memory'] },
);

verifies(
  ['P-9.11', 'P-2.8', 'P-4.2'],
  'limits the sessions of a user',
  async (scene) => {
    const ann = await scene.join('ann');
    const second = await connectAgain(scene, ann);
    const third = await scene.connect();
    const hello = { protocol: 1, token: ann.welcome.token };

    await third.expectError('hello', hello, 'too_many_connections');
    const bye = await third.event('bye');
    await third.end();
    await second.close();
    await eventually(async () => {
      const next = await scene.connect();
      return (await next.call('hello', hello)).ok;
    }, 'room for one more');

    assert.deepEqual({ code: bye.code, reconnect: bye.reconnect }, { code: 4102, reconnect: true });
    await ann.roundTrip();
  },
  { settings: { PARLANCE_LIMIT_CONNECTIONS_PER_USER: '2' } },
);
