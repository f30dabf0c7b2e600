import assert from 'node:assert/strict';

import { blocks } from '../support/document.js';
import { picture } from '../support/pictures.js';
import { read, uploaded } from '../support/uploads.js';
import { connectAgain, meet, say } from './meeting.js';
import { readHistory } from './reading.js';
import { verifies } from './suite.js';

const base64 = (bytes: Buffer) => bytes.toString('base64');

verifies(['P-14.6', 'P-14.4'], 'stores an image that is sent in a message', async (scene) => {
  const { room, clients } = await meet(scene, 'ann', 'bob');
  const [ann, bob] = clients;
  const image = { data: base64(await picture('png')), name: 'dot.png' };

  const { message } = await ann.ok('message.send', { room, image });
  const event = await bob.event('message.created');

  assert.deepEqual(event.message, message);
  assert.equal(message.text, '');
  const [file] = message.attachments ?? [];
  assert(file !== undefined && message.attachments?.length === 1);
  assert.deepEqual(
    { name: file.name, type: file.type, width: file.width, height: file.height },
    { name: 'dot.png', type: 'image/png', width: 60, height: 40 },
  );
  for (const path of [file.url, file.preview?.url ?? '']) {
    assert.equal((await read(scene.url, path, bob)).status, 200);
  }
});

verifies(['P-14.6', 'P-14.5'], 'places the image after the files', async (scene) => {
  const { room, clients } = await meet(scene, 'ann');
  const [ann] = clients;
  const file = await uploaded(scene.url, ann, Buffer.from('text'), { name: 'a.txt' });
  const image = { data: base64(await picture('gif')) };

  const { message } = await ann.ok('message.send', { room, text: 'both', files: [file.id], image });

  const types = message.attachments?.map(({ type }) => type);
  assert.deepEqual(types, ['application/octet-stream', 'image/gif']);
});

verifies(['P-14.6', 'P-6.3'], 'stores no second image for a repeat', async (scene) => {
  const { room, clients } = await meet(scene, 'ann', 'bob');
  const [ann, bob] = clients;
  const image = { data: base64(await picture('webp')) };
  const command = { room, text: 'hi', cid: 'c', image };

  const posted = Array.from({ length: 5 }, () => ann.post('message.send', command));
  const other = await (await connectAgain(scene, ann)).call('message.send', command);
  const replies = [other, ...(await Promise.all(posted.map((id) => ann.reply(id))))];

  const sent = replies.map((reply) => {
    assert(reply.ok, JSON.stringify(reply));
    return reply.data as { message: object; duplicate: boolean };
  });
  assert.equal(sent.filter(({ duplicate }) => !duplicate).length, 1);
  const [first] = await readHistory(bob, room);
  for (const { message } of sent) assert.deepEqual(message, first);
  for (const changed of [
    { ...command, image: { ...image, name: 'other' } },
    { ...command, image: { data: base64(await picture('png')) } },
    { room, text: 'hi', cid: 'c' },
  ]) {
    await ann.expectError('message.send', changed, 'idempotency_conflict');
  }
});

verifies(['P-14.6', 'P-3.4'], 'keeps the order of commands', async (scene) => {
  const { room, clients } = await meet(scene, 'ann');
  const [ann] = clients;
  const image = { data: base64(await picture('avif', { width: 300, height: 300 })) };

  ann.post('message.send', { room, text: 'first' });
  ann.post('message.send', { room, text: 'second', image });
  await say(ann, room, 'third');

  const texts = (await readHistory(ann, room)).map(({ text }) => text);
  assert.deepEqual(texts, ['first', 'second', 'third']);
});

verifies(['P-14.6', 'P-4.1'], 'refuses invalid or large images', async (scene) => {
  const { room, clients } = await meet(scene, 'ann');
  const [ann] = clients;
  const eve = await scene.join('eve');
  const data = base64(await picture('png'));
  const svg = base64(Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'));
  const cut = base64((await picture('png')).subarray(0, 40));
  const send = <T>(image: T) => ({ room, text: 'hi', cid: 'c', image });

  for (const bad of [{}, { data: '' }, { data: '*' }, { data: 'QQ' }, { data, name: '\0' }, 'x']) {
    await ann.expectError('message.send', send(bad), 'invalid');
  }
  for (const unreadable of [svg, cut, base64(Buffer.from('hello'))]) {
    await ann.expectError('message.send', send({ data: unreadable }), 'image_unreadable');
  }
  const large = { data: base64(Buffer.alloc(40_961)) };
  const error = await ann.expectError('message.send', send(large), 'too_large');
  assert.deepEqual(error.details, { limit: 'inlineImageBytes', value: 40_960 });
  await eve.expectError('message.send', send({ data }), 'not_member');
  const nowhere = { ...send({ data }), room: scene.room() };
  await eve.expectError('message.send', nowhere, 'not_found');

  assert.deepEqual(await readHistory(ann, room), [], 'nothing was stored');
  await ann.ok('message.send', send({ data }));
});

verifies('P-14.6', 'accepts the image of the example', async (scene) => {
  const { room, clients } = await meet(scene, 'ann');
  const [ann] = clients;
  const examples = blocks('json').map(({ text }) => JSON.parse(text) as { data?: object });
  const example = examples.find(({ data = {} }) => 'image' in data)?.data as {
    image: { data: string; name: string };
  };

  const { message } = await ann.ok('message.send', { ...example, room });

  const [file] = message.attachments ?? [];
  assert.deepEqual(
    { name: file?.name, type: file?.type, width: file?.width },
    { name: example.image.name, type: 'image/gif', width: 1 },
  );
});
