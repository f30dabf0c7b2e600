import assert from 'node:assert/strict';

import { picture } from '../support/pictures.js';
import { read, uploaded } from '../support/uploads.js';
import { connectAgain, meet, say } from './meeting.js';
import { readCut, readHistory, readLog } from './reading.js';
import { verifiesCore, type Scene } from './suite.js';

const TEXT = Buffer.from('minutes of the meeting');

/** Connects two members of a room, and uploads files of the first. */
async function meetWithFiles(scene: Scene, count: number) {
  const { room, clients } = await meet(scene, 'ann', 'bob');
  const [ann, bob] = clients;
  const files: Awaited<ReturnType<typeof uploaded>>[] = [];
  while (files.length < count) {
    files.push(await uploaded(scene.url, ann, TEXT, { name: `${String(files.length)}.txt` }));
  }
  return { room, ann, bob, files, ids: files.map(({ id }) => id) };
}

verifiesCore(
  ['P-14.4', 'P-14.5', 'P-6.2'],
  'shows the files of a message wherever the message is shown',
  async (scene) => {
    const { room, ann, bob, files, ids } = await meetWithFiles(scene, 2);
    const image = await uploaded(scene.url, ann, await picture('png'));
    const { epoch, seq } = await readCut(bob, room);
    const all = [...ids, image.id];

    const { message } = await ann.ok('message.send', { room, text: 'look', files: all, cid: 'c' });

    assert.deepEqual(message.attachments, [...files, image]);
    assert.deepEqual((await bob.event('message.created')).message, message);
    assert.deepEqual((await readCut(bob, room)).messages, [message]);
    assert.deepEqual(await readHistory(bob, room), [message]);
    const [event] = await readLog(bob, room, { epoch, seq });
    assert(event?.event === 'message.created');
    assert.deepEqual(event.data.message, message);
    const status = await ann.ok('message.status', { room, cid: 'c' });
    assert.deepEqual(status.message, message);
    const edited = await ann.ok('message.edit', { room, message: message.id, text: 'see' });
    assert.deepEqual(edited.message.attachments, message.attachments);
    assert(!('attachments' in (await say(ann, room, 'plain'))), 'absent without files');
  },
);

verifiesCore(
  ['P-14.5', 'P-6.2'],
  'accepts a message with files and no text, and refuses one with neither',
  async (scene) => {
    const { room, ann, ids } = await meetWithFiles(scene, 2);
    const [first = '', second = ''] = ids;

    const without = await ann.ok('message.send', { room, files: [first] });
    const empty = await ann.ok('message.send', { room, text: '', files: [second] });

    assert.deepEqual(
      { without: without.message.text, empty: empty.message.text },
      { without: '', empty: '' },
    );
    for (const nothing of [{}, { text: '' }, { text: ' ' }, { text: ' ', files: ids }]) {
      await ann.expectError('message.send', { room, ...nothing }, 'invalid');
    }
    for (const files of [[], [first, first], 'x', [5]]) {
      await ann.expectError('message.send', { room, text: 'x', files }, 'invalid');
    }
  },
);

verifiesCore(
  ['P-14.5', 'P-4.1'],
  'accepts only files that the sender uploaded and no message has',
  async (scene) => {
    const { room, ann, bob, ids } = await meetWithFiles(scene, 2);
    const [free = '', taken = ''] = ids;
    await ann.ok('message.send', { room, files: [taken] });
    const eve = await scene.join('eve');
    const cut = await readCut(ann, room);

    const errors = [
      await ann.expectError('message.send', { room, files: [free, taken] }, 'not_found'),
      await ann.expectError('message.send', { room, files: [free, 'nothing'] }, 'not_found'),
      await bob.expectError('message.send', { room, files: [free] }, 'not_found'),
    ];
    await eve.expectError('message.send', { room, files: [free] }, 'not_member');

    assert.equal(new Set(errors.map((error) => JSON.stringify(error))).size, 1, 'all the same');
    assert.deepEqual(await readCut(ann, room), cut, 'nothing was changed');
    await ann.ok('message.send', { room, files: [free] });
  },
);

verifiesCore(['P-14.5', 'P-6.3'], 'recognizes a repeat by its files', async (scene) => {
  const { room, ann, ids } = await meetWithFiles(scene, 3);
  const [first = '', second = '', third = ''] = ids;
  const command = { room, text: 'hi', files: [first, second], cid: 'c' };

  const sent = await ann.ok('message.send', command);
  const repeat = await (await connectAgain(scene, ann)).ok('message.send', command);

  assert.deepEqual(repeat, { ...sent, duplicate: true });
  for (const files of [undefined, [first], [second, first], [first, second, third]]) {
    await ann.expectError('message.send', { ...command, files }, 'idempotency_conflict');
  }
  await ann.ok('message.delete', { room, message: sent.message.id });
  const after = await ann.ok('message.send', command);
  assert.equal(after.duplicate, true);
  assert.notEqual(after.message.deletedAt, undefined);
  await ann.ok('message.send', { room, files: [third] });
});

verifiesCore(
  ['P-14.5', 'P-3.5'],
  'attaches a file to one message when several request it',
  async (scene) => {
    const { room, ann, ids } = await meetWithFiles(scene, 1);
    const connections = [ann, await connectAgain(scene, ann), await connectAgain(scene, ann)];

    const posted = Array.from({ length: 12 }, (_, index) => {
      const client = connections[index % 3] ?? ann;
      return {
        client,
        id: client.post('message.send', { room, files: ids, cid: `c${String(index)}` }),
      };
    });
    const replies = await Promise.all(posted.map(({ client, id }) => client.reply(id)));

    assert.equal(replies.filter(({ ok }) => ok).length, 1);
    for (const reply of replies) if (!reply.ok) assert.equal(reply.error.code, 'not_found');
    assert.equal((await readHistory(ann, room)).length, 1);
  },
);

verifiesCore(
  ['P-14.8', 'P-6.8'],
  'removes the files of a message together with its text',
  async (scene) => {
    const { room, ann, bob, files, ids } = await meetWithFiles(scene, 2);
    const image = await uploaded(scene.url, ann, await picture('png'));
    const { message } = await ann.ok('message.send', { room, files: [...ids, image.id] });

    const { message: tombstone } = await ann.ok('message.delete', { room, message: message.id });
    const deleted = await bob.event('message.deleted');

    for (const now of [tombstone, deleted.message, (await readHistory(bob, room))[0]]) {
      assert(now !== undefined && !('attachments' in now), 'the tombstone has no files');
    }
    for (const path of [...files, image].flatMap(({ url }) => [url, `${url}/preview`])) {
      assert.equal((await read(scene.url, path, ann)).status, 404, path);
    }
    await ann.expectError('message.send', { room, files: ids }, 'not_found');
  },
);

verifiesCore(
  'P-14.8',
  'removes a file that no message uses in time',
  async (scene) => {
    const { room, ann, files, ids } = await meetWithFiles(scene, 1);
    const [file] = files;
    assert(file !== undefined);

    let status = 200;
    while (status === 200) ({ status } = await read(scene.url, file.url, ann));

    assert.equal(status, 404);
    await ann.expectError('message.send', { room, files: ids }, 'not_found');
  },
  { settings: { PARLANCE_LIMIT_UNSENT_MS: '500' } },
);
