import assert from 'node:assert/strict';

import { SlowUpload } from '../support/slow-upload.js';
import { bearer, errorOf, read, uploaded } from '../support/uploads.js';
import { verifiesCore } from './suite.js';

const SMALL_WINDOW = {
  PARLANCE_LIMIT_UPLOAD_WINDOW_MS: '150',
  PARLANCE_LIMIT_UPLOAD_WINDOW_BYTES: '1000',
};

verifiesCore(
  ['P-14.1', 'P-14.2'],
  'refuses an upload that makes too little progress, such as 10 bytes at a time',
  async (scene) => {
    const ann = await scene.join('ann');
    const slow = new SlowUpload(`${scene.url}/api/files`, bearer(ann));
    slow.write(Buffer.alloc(10));

    const answer = await slow.answer();

    const error = errorOf(answer, 408, 'too_slow');
    assert.deepEqual(error.details, { limit: 'uploadWindowBytes', value: 1_000 });
    slow.abort();
  },
  { settings: SMALL_WINDOW },
);

verifiesCore(
  'P-14.1',
  'accepts an upload that makes progress, whatever its total time',
  async (scene) => {
    const ann = await scene.join('ann');
    const slow = new SlowUpload(`${scene.url}/api/files`, bearer(ann));
    const parts = 5;
    for (let part = 0; part < parts; part++) {
      slow.write(Buffer.alloc(1_000));
      // An upload in between takes some time; the test does not depend on how much.
      await uploaded(scene.url, ann, Buffer.from('text'));
    }
    slow.end();

    const { status, bytes } = await slow.answer();

    assert.equal(status, 201, bytes.toString());
    assert.equal((JSON.parse(bytes.toString()) as { size: number }).size, parts * 1_000);
  },
  { settings: { PARLANCE_LIMIT_UPLOAD_WINDOW_BYTES: '1000' } },
);

verifiesCore(
  ['P-14.1', 'P-14.2'],
  'refuses an upload before it requests the body',
  async (scene) => {
    const headers = { expect: '100-continue', ...bearer(await scene.join('ann')) };
    const url = `${scene.url}/api/files`;
    const large = new SlowUpload(url, { ...headers, 'content-length': '10485761' });
    const empty = new SlowUpload(url, { ...headers, 'content-length': '0' });
    const withoutToken = new SlowUpload(url, { expect: '100-continue', 'content-length': '4' });
    const accepted = new SlowUpload(url, { ...headers, 'content-length': '4' });

    errorOf(await large.answer(), 413, 'too_large');
    empty.end();
    errorOf(await empty.answer(), 400, 'invalid');
    errorOf(await withoutToken.answer(), 401, 'token_invalid');
    await accepted.continued();
    accepted.write(Buffer.from('text'));
    accepted.end();

    assert.equal((await accepted.answer()).status, 201);
    for (const refused of [large, empty, withoutToken]) assert(!refused.isContinued);
  },
);

verifiesCore(
  'P-14.7',
  'returns ranges of a file, and no body when the client has the file',
  async (scene) => {
    const ann = await scene.join('ann');
    const file = await uploaded(scene.url, ann, Buffer.from('0123456789'));
    const get = async (more: Record<string, string>) => {
      const response = await fetch(scene.url + file.url, { headers: { ...bearer(ann), ...more } });
      const { status, headers } = response;
      return { status, text: await response.text(), range: headers.get('content-range') };
    };
    const etag = (await read(scene.url, file.url, ann)).headers.get('etag') ?? '';
    const whole = { status: 200, text: '0123456789', range: null };

    for (const [range, text, at] of [
      ['bytes=2-4', '234', 'bytes 2-4/10'],
      ['bytes=7-', '789', 'bytes 7-9/10'],
      ['bytes=-3', '789', 'bytes 7-9/10'],
      ['bytes=-100', '0123456789', 'bytes 0-9/10'],
      ['bytes=0-99', '0123456789', 'bytes 0-9/10'],
    ] as const) {
      assert.deepEqual(await get({ range }), { status: 206, text, range: at });
    }
    assert.deepEqual(await get({ range: 'bytes=10-' }), {
      status: 416,
      text: '',
      range: 'bytes */10',
    });
    for (const range of ['bytes=0-1,4-5', 'lines=1-2', 'bytes=x']) {
      assert.deepEqual(await get({ range }), whole, range);
    }
    assert.equal((await get({ range: 'bytes=0-1', 'if-range': etag })).status, 206);
    assert.deepEqual(await get({ range: 'bytes=0-1', 'if-range': '"other"' }), whole);
    assert.deepEqual(await get({ 'if-none-match': etag }), { status: 304, text: '', range: null });
  },
);

verifiesCore('P-14.7', 'authorizes every read, including conditional ones', async (scene) => {
  const ann = await scene.join('ann');
  const eve = await scene.join('eve');
  const file = await uploaded(scene.url, ann, Buffer.from('text'));
  const { headers } = await read(scene.url, file.url, ann);
  const condition = { 'if-none-match': headers.get('etag') ?? '' };

  const own = await fetch(scene.url + file.url, { headers: { ...bearer(ann), ...condition } });
  const ofOther = await fetch(scene.url + file.url, { headers: { ...bearer(eve), ...condition } });

  assert.equal(headers.get('cache-control'), 'private, no-cache');
  assert.deepEqual({ owner: own.status, other: ofOther.status }, { owner: 304, other: 404 });
  await ofOther.text();
});
