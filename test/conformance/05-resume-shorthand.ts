import assert from 'node:assert/strict';

import { TestClient } from '../support/client.js';
import { meet, say, sendMany } from './meeting.js';
import { positionIn, range, readCut, resumeBy, seqsOf } from './reading.js';
import { verifies } from './suite.js';
import { OPEN } from './transports.js';

verifies(['P-5.12', 'P-4.2'], 'refuses malformed positions in the shorthand', async (scene) => {
  const client = await scene.connect();
  const position = { epoch: 'epoch', seq: 1 };
  const many = range(1, 101).map((index) => [`room-${String(index)}`, position]);

  for (const resume of [
    Object.fromEntries(many) as object,
    { general: { epoch: 'epoch' } },
    { general: { epoch: 'epoch', seq: -1 } },
    { general: { epoch: 'e'.repeat(65), seq: 1 } },
    { general: 1 },
  ]) {
    await client.expectError('hello', { protocol: 1, resume }, 'invalid');
  }
});

verifies(
  ['P-5.12', 'P-2.10'],
  'resumes a room by the shorthand',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann', 'bob');
    const [ann, bob] = clients;
    const from = await positionIn(bob, room);
    await say(ann, room, 'missed');

    const { token } = bob.welcome;
    const back = await scene.connect({ hello: { token, resume: { [room]: from } } });
    const missed = await back.event('message.created');

    assert.deepEqual(back.welcome.resumed, { [room]: { complete: true, seq: 4 } });
    assert.equal(missed.message.text, 'missed');
    const names = back.events().map(({ event }) => event);
    assert.deepEqual(
      names.filter((event) => event !== 'presence'),
      ['welcome', 'message.created'],
    );
  },
  { only: ['socket.io websocket', 'socket.io polling', 'in-memory'] },
);

verifies(
  'P-5.12',
  'resumes without gaps or duplicates while others write',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann', 'bob');
    const [ann, bob] = clients;
    const from = await positionIn(bob, room);
    const late = await Promise.all([1, 2, 3, 4].map(() => scene.connect()));
    const hellos: string[] = [];

    await sendMany(ann, room, 200, () => {
      const hello = { protocol: 1, token: bob.welcome.token, resume: { [room]: from } };
      hellos.push(late[hellos.length]?.post('hello', hello) ?? '');
    });

    for (const [index, client] of late.entries()) {
      await client.reply(hellos[index]);
      assert.equal(client.welcome.resumed[room]?.complete, true);
      await client.until(() => seqsOf(client.logged(room)).at(-1) === 203, 'the last message');
      assert.deepEqual(seqsOf(client.logged(room)), range(4, 203));
    }
  },
  { settings: { PARLANCE_LIMIT_RESUME_EVENTS: '1000' } },
);

verifies(
  ['P-5.12', 'P-5.8'],
  'resumes after a server restart',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann', 'bob');
    const [ann, bob] = clients;
    const from = await positionIn(bob, room);
    await say(ann, room, 'before the restart');
    assert(scene.server !== undefined, 'the server is in this process');

    await scene.server.stop();
    const later = await scene.start(scene.server.env);
    const back = await later.connect();
    const { user, resumed } = await resumeBy(back, bob.welcome, { [room]: from });
    const annBack = await later.connect();
    await resumeBy(annBack, ann.welcome, { [room]: { ...from, seq: 4 } });
    await say(annBack, room, 'after the restart');
    await back.event('message.created', ({ seq }) => seq === 5);

    assert.deepEqual(user, bob.welcome.user);
    assert.deepEqual(resumed, { [room]: { complete: true, seq: 4 } });
    assert.deepEqual(seqsOf(back.logged(room)), [4, 5]);
    assert.deepEqual(seqsOf(annBack.logged(room)), [5]);
    const cut = await readCut(back, room);
    assert.deepEqual(
      { epoch: cut.epoch, memberCount: cut.memberCount },
      { epoch: from.epoch, memberCount: 2 },
    );
  },
  { settings: {} },
);

verifies(
  ['P-5.12', 'P-10.1'],
  'resumes over another transport',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann', 'bob');
    const [ann, bob] = clients;
    const from = await positionIn(bob, room);
    await say(ann, room, 'missed');
    await bob.close();
    const { server } = scene;
    assert(server !== undefined, 'the server is in this process');

    for (const open of Object.values(OPEN)) {
      const back = await TestClient.connect((listener) => open(server, listener, {}));
      const { user, resumed } = await resumeBy(back, bob.welcome, { [room]: from });
      const missed = await back.event('message.created');
      await back.close();

      assert.deepEqual(user, bob.welcome.user);
      assert.deepEqual(resumed, { [room]: { complete: true, seq: 4 } });
      assert.deepEqual({ seq: missed.seq, text: missed.message.text }, { seq: 4, text: 'missed' });
    }
  },
  { settings: {} },
);
