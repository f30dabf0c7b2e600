import assert from 'node:assert/strict';

import { parse } from 'content-disposition';

import { picture } from '../support/pictures.js';
import { bearer, errorOf, read, request, uploaded } from '../support/uploads.js';
import { meet } from './meeting.js';
import { verifiesCore } from './suite.js';

const READABLE = { file: 200, preview: 200 };
const HIDDEN = { file: 404, preview: 404 };
const TEXT = Buffer.from('<html><script>alert(1)</script></html>');

verifiesCore('P-14.7', 'lets only members of the room read a file', async (scene) => {
  const { room, clients } = await meet(scene, 'ann', 'bob', 'cid');
  const [ann, bob, cid] = clients;
  const eve = await scene.join('eve');
  const file = await uploaded(scene.url, ann, await picture('png'));

  const readAs = async (reader: typeof ann) => ({
    file: (await read(scene.url, file.url, reader)).status,
    preview: (await read(scene.url, file.preview?.url ?? '', reader)).status,
  });

  assert.deepEqual(await readAs(ann), READABLE, 'the uploader reads it before it is sent');
  assert.deepEqual(await readAs(bob), HIDDEN, 'other users do not, in any room');
  await ann.ok('message.send', { room, files: [file.id] });
  assert.deepEqual(await readAs(bob), READABLE, 'a member reads');
  assert.deepEqual(await readAs(eve), HIDDEN, 'a stranger does not');
  await cid.ok('room.leave', { room });
  assert.deepEqual(await readAs(cid), HIDDEN, 'a former member does not');
  await ann.ok('room.leave', { room });
  assert.deepEqual(await readAs(ann), HIDDEN, 'the sender does not either');
  await eve.ok('room.join', { room });
  assert.deepEqual(await readAs(eve), READABLE, 'a new member reads');
});

verifiesCore(['P-14.7', 'P-14.2'], 'does not reveal whether a file exists', async (scene) => {
  const { room, clients } = await meet(scene, 'ann');
  const [ann] = clients;
  const eve = await scene.join('eve');
  const file = await uploaded(scene.url, ann, TEXT);
  await ann.ok('message.send', { room, files: [file.id] });
  const other = file.url.replace(/.{32}$/, '0'.repeat(32));

  const answers = [
    await read(scene.url, file.url, eve),
    await read(scene.url, other, eve),
    await read(scene.url, `${file.url}/preview`, ann),
    await read(scene.url, '/api/files/x%00', eve),
    await read(scene.url, '/api/files/..%2F..%2Fparlance.db', eve),
  ];
  const unnamed = await request(scene.url + file.url);
  const inUrl = await request(`${scene.url}${file.url}?token=${ann.welcome.token ?? ''}`);

  const bodies = answers.map((answer) => JSON.stringify(errorOf(answer, 404, 'not_found')));
  assert.equal(new Set(bodies).size, 1);
  errorOf(unnamed, 401, 'token_invalid');
  errorOf(inUrl, 401, 'token_invalid');
});

verifiesCore('P-14.7', 'serves files so that browsers cannot run them', async (scene) => {
  const ann = await scene.join('ann');
  const svg = Buffer.from(
    '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
  );
  const image = await uploaded(scene.url, ann, await picture('gif'), { name: 'a.html' });
  const guarded = {
    'x-content-type-options': 'nosniff',
    'content-security-policy': "default-src 'none'; sandbox",
    'cross-origin-resource-policy': 'same-origin',
    'cache-control': 'private, no-cache',
  };

  for (const [bytes, name] of [
    [TEXT, 'index.html'],
    [svg, 'drawing.svg'],
    [TEXT, 'photo "of" März.png'],
    [TEXT, '../up.exe'],
  ] as const) {
    const file = await uploaded(scene.url, ann, bytes, { name });
    const { headers } = await read(scene.url, file.url, ann);
    for (const [header, value] of Object.entries(guarded)) {
      assert.equal(headers.get(header), value, header);
    }
    const disposition = parse(headers.get('content-disposition') ?? '');
    assert.equal(headers.get('content-type'), 'application/octet-stream');
    assert.equal(disposition.type, 'attachment');
    assert.equal(disposition.parameters['filename'], name.replace('/', '_'));
  }
  for (const [path, type] of [
    [image.url, 'image/gif'],
    [image.preview?.url ?? '', 'image/webp'],
  ] as const) {
    const { headers } = await read(scene.url, path, ann);
    for (const [header, value] of Object.entries(guarded)) {
      assert.equal(headers.get(header), value, header);
    }
    assert.equal(headers.get('content-type'), type);
    assert.match(headers.get('content-disposition') ?? '', /^inline\b/);
  }
});

verifiesCore('P-14.7', 'returns the whole file with its length', async (scene) => {
  const ann = await scene.join('ann');
  const file = await uploaded(scene.url, ann, TEXT);
  const headers = bearer(ann);

  const part = await request(scene.url + file.url, { headers });
  const head = await request(scene.url + file.url, { method: 'HEAD', headers });

  assert.equal(part.status, 200);
  assert(part.bytes.equals(TEXT));
  assert.equal(part.headers.get('content-length'), String(TEXT.length));
  assert.equal(head.status, 200);
  assert.equal(head.bytes.length, 0);
});
