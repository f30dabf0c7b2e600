import assert from 'node:assert/strict';

import type { Message, RoomCut } from '#src/protocol/models.js';

import { limitInForce } from './limit-in-force.js';
import { connectAgain, meet, say, sendMany } from './meeting.js';
import { range, readCut, seqsOf } from './reading.js';
import { verifies } from './suite.js';

verifies('P-5.3', 'delivers nothing of a room to a connection before it joins', async (scene) => {
  const { room, clients } = await meet(scene, 'ann', 'bob');
  const [ann, bob] = clients;
  const annToo = await connectAgain(scene, ann);

  await say(bob, room, 'before');
  await annToo.ok('message.send', { room, text: 'a member may send all the same' });
  await bob.ok('typing.set', { room, active: true });
  await ann.event('typing');
  await annToo.roundTrip();
  assert.deepEqual(annToo.events(), [], 'membership alone delivers nothing');

  const cut = await annToo.ok('room.join', { room });
  await say(bob, room, 'after');
  const event = await annToo.event('message.created');

  assert.equal(cut.seq, 5, 'the join wrote nothing');
  assert.deepEqual({ seq: event.seq, text: event.message.text }, { seq: 6, text: 'after' });
});

verifies(
  ['P-5.3', 'P-2.8'],
  'delivers the same events to all attached connections of a user',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann', 'bob');
    const [ann, bob] = clients;
    const annToo = await connectAgain(scene, ann);

    await annToo.ok('room.sync', { room });
    const { seq } = await say(bob, room, 'hi');

    assert.deepEqual(annToo.welcome.user, ann.welcome.user);
    assert.equal((await ann.event('message.created')).seq, seq);
    assert.equal((await annToo.event('message.created')).seq, seq);
  },
);

verifies(
  'P-5.3',
  'keeps the membership, but not the attachment, when a connection ends',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann', 'bob');
    const [ann, bob] = clients;
    const joined = (await readCut(ann, room)).you;

    await ann.close();
    const back = await connectAgain(scene, ann);
    await say(bob, room, 'while ann was away');
    const { you, info } = await back.ok('room.get', { room });
    await back.roundTrip();

    assert.deepEqual(you, joined);
    assert.equal(info.memberCount, 2);
    assert.deepEqual(back.logged(room), []);
  },
);

verifies('P-5.5', 'returns the state of the room as a cut', async (scene) => {
  const { room, clients } = await meet(scene, 'ann', 'bob');
  const [ann, bob] = clients;
  const first = await say(ann, room, 'first');
  const gone = await say(ann, room, 'gone');
  await ann.ok('message.delete', { room, message: gone.id });
  const { message } = await bob.ok('message.react', { room, message: first.id, emoji: '👍' });
  const { messages } = await ann.ok('message.history', { room });
  const { info } = await ann.ok('room.get', { room });

  const cut = await readCut(bob, room);

  const { epoch, seq, you, members, presence } = cut;
  assert.deepEqual(cut, {
    room,
    epoch,
    seq,
    info,
    you,
    members,
    memberCount: 2,
    messages,
    hasMore: false,
    presence,
  });
  assert.equal(seq, 7);
  assert.deepEqual(cut.messages[0], message);
  assert.deepEqual(
    cut.messages.map(({ text }) => text),
    ['first', ''],
  );
  assert.deepEqual(
    { memberCount: info.memberCount, members: members.length, user: you.user },
    { memberCount: 2, members: 2, user: bob.welcome.user },
  );
});

verifies('P-5.5', 'returns the latest messages in the cut, oldest first', async (scene) => {
  const { room, clients } = await meet(scene, 'ann');
  const [ann] = clients;
  const historyPage = limitInForce(scene, 'historyPage');

  await sendMany(ann, room, historyPage);
  const full = await readCut(ann, room);
  await say(ann, room, 'one more');
  const more = await readCut(ann, room);

  const texts = ({ messages }: RoomCut) => messages.map(({ text }) => text);
  assert.deepEqual(
    { texts: texts(full), hasMore: full.hasMore },
    { texts: range(1, historyPage).map(String), hasMore: false },
  );
  assert.deepEqual(texts(more), [...range(2, historyPage).map(String), 'one more']);
  assert.equal(more.hasMore, true);
});

verifies(
  ['P-5.5', 'P-3.7'],
  'returns cuts that later events continue without gaps while others write',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann');
    const [ann] = clients;
    const late = await Promise.all(['b', 'c', 'd', 'e'].map((name) => scene.join(name)));
    const joins: (() => Promise<RoomCut>)[] = [];

    await sendMany(ann, room, 200, () => {
      const client = late[joins.length];
      const id = client?.post('room.join', { room });
      joins.push(async () => ((await client?.reply(id)) as unknown as { data: RoomCut }).data);
    });
    const { seq: head } = await readCut(ann, room);
    const { messages: latest } = await ann.ok('message.history', { room, limit: 100 });

    assert.equal(head, 2 + 200 + 4);
    for (const [index, client] of late.entries()) {
      const cut = await (joins[index] as () => Promise<RoomCut>)();
      const last = () => seqsOf(client.logged(room)).at(-1) ?? cut.seq;
      await client.until(() => last() === head, 'the last event');
      const events = client.logged(room).filter(({ data }) => (data['seq'] as number) > cut.seq);
      assert.deepEqual(seqsOf(events), range(cut.seq + 1, head), 'no gaps and no duplicates');
      const created = events.filter(({ event }) => event === 'message.created');
      const followed = created.map(({ data }) => data['message'] as Message);
      const seen = [...cut.messages, ...followed];
      const texts = seen.map(({ text }) => Number(text));
      assert.deepEqual(texts, range(texts[0] ?? 0, 200), 'each message once');
      assert.deepEqual(seen.slice(-50), latest.slice(-50));
    }
  },
);
