import assert from 'node:assert/strict';

import { LOG_EVENTS, type LogEvent } from '#src/protocol/events.js';

import type { TestClient } from '../support/client.js';
import { RoomCopy } from '../support/room-copy.js';
import { meet, say, sendMany } from './meeting.js';
import { range, readCut, readHistory, readLog, readPage, replay, seqsOf } from './reading.js';
import { verifies } from './suite.js';

/** Events that appear only in `@me` (P-5.14). */
const OF_OWN_LOG = new Set(['dm.opened', 'user.blocked', 'user.unblocked']);

/** Writes every kind of event to the log of a room. */
async function writeEveryKind(ann: TestClient, bob: TestClient, room: string): Promise<void> {
  const { id: message } = await say(ann, room, 'first draft', { cid: 'c-1' });
  await ann.ok('message.edit', { room, message, text: 'second draft' });
  await bob.ok('message.react', { room, message, emoji: '👍' });
  await bob.ok('message.unreact', { room, message, emoji: '👍' });
  const gone = await say(bob, room, 'a secret', { replyTo: message });
  await bob.ok('message.delete', { room, message: gone.id });
  await ann.ok('room.update', { room, title: 'Another title' });
  await bob.ok('user.update', { name: 'robert' });
  await bob.ok('room.leave', { room });
  await bob.ok('room.join', { room });
}

verifies('P-5.8', 'numbers all events that members may see, without gaps', async (scene) => {
  const { room, clients } = await meet(scene, 'ann', 'bob', 'cem');
  const [ann, bob, cem] = clients;
  const epochs = [await readCut(ann, room), await readCut(bob, room)].map(({ epoch }) => epoch);

  await writeEveryKind(ann, bob, room);
  const log = await readLog(cem, room, { epoch: epochs[0] as string, seq: 0 });

  assert.deepEqual(seqsOf(log), range(1, 14));
  const ofRooms = Object.keys(LOG_EVENTS).filter((event) => !OF_OWN_LOG.has(event));
  assert.deepEqual(new Set(log.map(({ event }) => event)), new Set(ofRooms));
  assert(
    log.every(({ data }) => data.room === room && Number.isInteger(data.at)),
    'all have a room and a time',
  );
  assert.deepEqual(epochs[0], epochs[1]);
  const ofLog = ({ event, data }: { event: string; data: object }) => {
    const { seq, at } = data as LogEvent['data'];
    return { event, seq, at };
  };
  for (const client of clients) {
    const last = client === bob ? 13 : 14;
    await client.until(() => seqsOf(client.logged(room)).at(-1) === last, 'the last event');
    const heard = client.logged(room).filter(({ data }) => (data['seq'] as number) > 4);
    const expected = log.slice(4, last).map(ofLog);
    assert.deepEqual(heard.map(ofLog), expected, 'the same for all members');
  }
});

verifies('P-5.8', 'gives each log a different epoch', async (scene) => {
  const ann = await scene.join('ann');

  const one = await ann.ok('room.create', { room: scene.room() });
  const other = await ann.ok('room.create', { room: scene.room() });
  const { epoch } = await ann.ok('message.history', { room: one.room });
  const page = await readPage(ann, one.room, { epoch, seq: 1 });

  assert.notEqual(one.epoch, other.epoch);
  assert.notEqual(one.epoch, ann.welcome.me.epoch);
  assert.deepEqual({ history: epoch, page: page.epoch }, { history: one.epoch, page: one.epoch });
});

verifies('P-5.8', 'treats a position beyond the last one as the last one', async (scene) => {
  const { room, clients } = await meet(scene, 'ann');
  const [ann] = clients;
  const { id } = await say(ann, room, 'hi');
  const { epoch } = await readCut(ann, room);

  for (const beyond of [2 ** 31, 2 ** 40, Number.MAX_SAFE_INTEGER]) {
    const { messages } = await ann.ok('message.history', { room, before: beyond });
    const after = await ann.ok('message.history', { room, after: beyond });
    const around = await ann.ok('message.history', { room, around: beyond });
    const sync = await replay(ann, room, { epoch, seq: beyond });

    assert.deepEqual(
      { before: messages[0]?.id, around: around.messages[0]?.id, after: after.messages },
      { before: id, around: id, after: [] },
    );
    assert.deepEqual(sync, { room, epoch, seq: 3, complete: false, reason: 'ahead' });
  }
});

verifies('P-5.9', 'replays messages in their current state', async (scene) => {
  const { room, clients } = await meet(scene, 'ann', 'bob');
  const [ann, bob] = clients;
  const { epoch } = await readCut(ann, room);

  await writeEveryKind(ann, bob, room);
  const log = await readLog(ann, room, { epoch, seq: 3 });
  const [edited, deleted] = await readHistory(ann, room);

  const about = (id: string | undefined) =>
    log.flatMap(({ data }) => {
      const message = 'message' in data && typeof data.message === 'object' ? data.message : null;
      return message?.id === id ? [message] : [];
    });
  assert.equal(edited?.text, 'second draft');
  assert.deepEqual(
    about(edited?.id),
    [edited, edited],
    'created and edited carry the current message',
  );
  assert.deepEqual(
    about(deleted?.id),
    [deleted, deleted],
    'created and deleted carry the current message',
  );
});

verifies(
  'P-5.9',
  'removes the text of a deleted message from events, pages and replies',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann', 'bob');
    const [ann, bob] = clients;
    const { epoch } = await readCut(ann, room);
    const { id: message } = await say(ann, room, 'secret-1', { cid: 'c-1' });
    await ann.ok('message.edit', { room, message, text: 'secret-2' });
    const later = await say(bob, room, 'later', { replyTo: message });
    await ann.ok('message.delete', { room, message });

    const texts = async () =>
      JSON.stringify([
        await readLog(bob, room, { epoch, seq: 0 }),
        await readHistory(bob, room),
        await readCut(bob, room),
        await bob.ok('message.history', { room, around: later.seq }),
        await ann.ok('message.status', { room, cid: 'c-1' }),
        await ann.ok('message.send', { room, text: 'secret-1', cid: 'c-1' }),
      ]);

    assert.doesNotMatch(await texts(), /secret/, 'from memory');
    await sendMany(bob, room, 300);
    assert.doesNotMatch(await texts(), /secret/, 'from the database');
  },
);

verifies('P-5.10', 'lets a client detect and fetch missed events', async (scene) => {
  const { room, clients } = await meet(scene, 'ann', 'bob');
  const [ann, bob] = clients;
  const cut = await readCut(bob, room);
  const copy = RoomCopy.fromCut(cut);

  await writeEveryKind(ann, bob, room);
  const { seq: head } = await readCut(ann, room);
  const log = await readLog(ann, room, cut);
  const [first, lost, third] = log as [LogEvent, LogEvent, LogEvent];

  assert.deepEqual(
    { first: copy.apply(first), third: copy.apply(third) },
    { first: 'applied', third: 'missing' },
  );
  assert.deepEqual(copy.position, { epoch: cut.epoch, seq: first.data.seq });
  for (const event of await readLog(bob, room, copy.position)) copy.apply(event);
  assert.equal(copy.position.seq, head);
  assert.equal(copy.apply(lost), 'ignored', 'a fetched event is already known');
  assert.deepEqual(
    copy.state(),
    RoomCopy.fromCut(await readCut(ann, room), await readHistory(ann, room)).state(),
  );
});
