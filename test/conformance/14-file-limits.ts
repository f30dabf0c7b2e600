import assert from 'node:assert/strict';

import { picture } from '../support/pictures.js';
import { bearer, errorOf, request, upload, uploaded } from '../support/uploads.js';
import { meet } from './meeting.js';
import { verifiesCore } from './suite.js';

const TEXT = Buffer.from('text');

verifiesCore(
  ['P-9.14', 'P-14.1', 'P-14.2'],
  'refuses a file with more bytes than the limit, whatever its declared length',
  async (scene) => {
    const ann = await scene.join('ann');
    const headers = bearer(ann);
    const large = Buffer.alloc(1_001);
    const stream = new Blob([large]).stream();
    const init = { method: 'POST', headers, body: stream, duplex: 'half' } as RequestInit;

    for (const answer of [
      await upload(scene.url, large, { headers }),
      await request(`${scene.url}/api/files`, init),
    ]) {
      const error = errorOf(answer, 413, 'too_large');
      assert.deepEqual(error.details, { limit: 'fileBytes', value: 1_000 });
    }
    await uploaded(scene.url, ann, Buffer.alloc(1_000));
  },
  { settings: { PARLANCE_LIMIT_FILE_BYTES: '1000' } },
);

verifiesCore(
  ['P-9.14', 'P-14.5'],
  'refuses a message with more files than the limit',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann');
    const [ann] = clients;
    const files: string[] = [];
    while (files.length < 3) files.push((await uploaded(scene.url, ann, TEXT)).id);
    const two = files.slice(0, 2);
    const image = { data: (await picture('png')).toString('base64') };

    for (const data of [{ files }, { files: two, image }]) {
      const error = await ann.expectError('message.send', { room, ...data }, 'limit_reached');
      assert.deepEqual(error.details, { limit: 'filesPerMessage', value: 2 });
    }
    await ann.ok('message.send', { room, files: two });
  },
  { settings: { PARLANCE_LIMIT_FILES_PER_MESSAGE: '2' } },
);

verifiesCore(
  ['P-9.14', 'P-14.2'],
  'refuses more unattached bytes than the limit',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann', 'bob');
    const [ann, bob] = clients;
    const file = await uploaded(scene.url, ann, Buffer.alloc(600));

    const answer = await upload(scene.url, Buffer.alloc(401), { headers: bearer(ann) });
    await uploaded(scene.url, bob, Buffer.alloc(600));
    await uploaded(scene.url, ann, Buffer.alloc(400));
    await ann.ok('message.send', { room, files: [file.id] });
    await uploaded(scene.url, ann, Buffer.alloc(600));

    const error = errorOf(answer, 409, 'limit_reached');
    assert.deepEqual(error.details, { limit: 'unsentBytes', value: 1_000 });
  },
  { settings: { PARLANCE_LIMIT_UNSENT_BYTES: '1000' } },
);

verifiesCore(
  ['P-9.14', 'P-14.2'],
  'refuses more concurrent uploads than the limit',
  async (scene) => {
    const ann = await scene.join('ann');
    const bob = await scene.join('bob');
    const headers = bearer(ann);
    const ends: (() => void)[] = [];
    /** Starts an upload that stays open until its end is released. */
    const begin = () => {
      // The server need not read a refused body to its end.
      let isOpen = true;
      const body = new ReadableStream<Uint8Array>({
        start: (controller) => {
          controller.enqueue(new Uint8Array(10));
          ends.push(() => {
            if (isOpen) controller.close();
          });
        },
        cancel: () => {
          isOpen = false;
        },
      });
      const init = { method: 'POST', headers, body, duplex: 'half' } as RequestInit;
      return request(`${scene.url}/api/files`, init);
    };

    // The server refuses the second of the two.
    const both = [begin(), begin()];
    const refused = await Promise.race(both);
    await uploaded(scene.url, bob, TEXT);
    for (const end of ends) end();

    const error = errorOf(refused, 429, 'rate_limited');
    assert.equal(error.details?.['bucket'], 'uploadsAtOnce');
    const statuses = (await Promise.all(both)).map(({ status }) => status);
    assert.deepEqual(statuses.sort(), [201, 429]);
    await uploaded(scene.url, ann, TEXT);
  },
  { settings: { PARLANCE_LIMIT_UPLOADS_AT_ONCE: '1' } },
);

verifiesCore(
  ['P-9.10', 'P-14.1', 'P-14.6', 'P-14.2'],
  'refuses more uploads per hour than the limit, including images in messages',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann', 'bob');
    const [ann, bob] = clients;
    const command = { room, cid: 'c', image: { data: (await picture('png')).toString('base64') } };
    await uploaded(scene.url, ann, TEXT);
    await ann.ok('message.send', command);

    const answer = await upload(scene.url, TEXT, { headers: bearer(ann) });
    const inMessage = await ann.expectError(
      'message.send',
      { ...command, cid: 'd' },
      'rate_limited',
    );
    const repeat = await ann.ok('message.send', command);

    const error = errorOf(answer, 429, 'rate_limited');
    assert.equal(error.details?.['bucket'], 'uploads');
    assert.equal(inMessage.details?.['bucket'], 'uploads');
    assert(Number(answer.headers.get('retry-after')) > 0);
    assert.equal(repeat.duplicate, true, 'a repeat is not an upload');
    await uploaded(scene.url, bob, TEXT);
  },
  { settings: { PARLANCE_LIMIT_UPLOADS_PER_HOUR: '2' } },
);

verifiesCore(
  ['P-9.10', 'P-14.1', 'P-14.6'],
  'refuses more bytes per hour than the limit',
  async (scene) => {
    const { room, clients } = await meet(scene, 'ann', 'bob');
    const [ann, bob] = clients;
    await uploaded(scene.url, ann, Buffer.alloc(990));

    const answer = await upload(scene.url, Buffer.alloc(100), { headers: bearer(ann) });
    const image = { data: (await picture('png')).toString('base64') };
    const inMessage = await ann.expectError('message.send', { room, image }, 'rate_limited');
    await uploaded(scene.url, bob, Buffer.alloc(100));

    const error = errorOf(answer, 429, 'rate_limited');
    assert.deepEqual(
      { upload: error.details?.['bucket'], inMessage: inMessage.details?.['bucket'] },
      { upload: 'uploadBytes', inMessage: 'uploadBytes' },
    );
    assert((error.retryAfterMs ?? 0) > 0);
  },
  { settings: { PARLANCE_LIMIT_UPLOAD_BYTES_PER_HOUR: '1000' } },
);
