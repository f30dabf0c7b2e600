import assert from 'node:assert/strict';

import { Attachment } from '#src/protocol/models.js';

import { blocks } from '../support/document.js';
import { picture } from '../support/pictures.js';
import { expired, makeKey } from '../support/tokens.js';
import { bearer, errorOf, read, request, upload, uploaded } from '../support/uploads.js';
import { createRoomWithBot, nextMessage } from './remote-bot.js';
import { verifiesCore } from './suite.js';

const KEY = makeKey('files');
const TEXT = Buffer.from('minutes of the meeting');

verifiesCore(['P-14.1', 'P-14.4'], 'stores the bytes of a body as a file', async (scene) => {
  const ann = await scene.join('ann');

  const file = await uploaded(scene.url, ann, TEXT, { name: 'Protokoll März.txt' });
  const answer = await read(scene.url, file.url, ann);

  const { id, url, ...rest } = file;
  assert.match(id, /^.{1,64}$/);
  assert.equal(url, `/api/files/${id}`);
  assert.deepEqual(rest, {
    name: 'Protokoll März.txt',
    type: 'application/octet-stream',
    size: TEXT.length,
  });
  assert.equal(answer.status, 200);
  assert(answer.bytes.equals(TEXT), 'the download equals the upload');
});

verifiesCore('P-14.1', 'accepts a body with any declared type and length', async (scene) => {
  const ann = await scene.join('ann');
  const json = Buffer.from('{"not": "parsed"');

  for (const type of ['application/json', 'application/x-www-form-urlencoded', 'image/png']) {
    const headers = { 'content-type': type };
    const file = await uploaded(scene.url, ann, json, { headers });
    assert.equal(file.size, json.length, type);
    assert.equal(file.type, 'application/octet-stream');
  }
  const shouted = await request(`${scene.url}/API/Files`, {
    method: 'POST',
    headers: { ...bearer(ann), 'content-type': 'application/json' },
    body: new Uint8Array(json),
  });
  assert.equal(shouted.status, 201, shouted.bytes.toString());
  const stream = new Blob([TEXT]).stream();
  const chunked = await request(`${scene.url}/api/files`, {
    method: 'POST',
    headers: bearer(ann),
    body: stream,
    duplex: 'half',
  });
  assert.equal(chunked.status, 201);
});

verifiesCore('P-14.1', 'keeps a name as text without interpreting it', async (scene) => {
  const ann = await scene.join('ann');

  for (const [given, kept] of [
    ['../../etc/passwd', '../../etc/passwd'],
    ['..\\..\\boot.ini', '..\\..\\boot.ini'],
    ['/', '/'],
    ['photo.png', 'photo.png'],
    [' naïve ', 'naïve'],
    ['👩‍👩‍👧.txt', '👩‍👩‍👧.txt'],
    ['<script>alert(1)</script>"\'; drop', '<script>alert(1)</script>"\'; drop'],
    ['é'.repeat(255), 'é'.repeat(255)],
  ] as const) {
    const file = await uploaded(scene.url, ann, TEXT, { name: given });
    const answer = await read(scene.url, file.url, ann);
    assert.equal(file.name, kept);
    assert.equal(file.type, 'application/octet-stream');
    assert(answer.bytes.equals(TEXT), given);
  }
  assert.notEqual((await uploaded(scene.url, ann, TEXT)).name, '', 'the server creates one');
});

verifiesCore(['P-14.1', 'P-14.2'], 'refuses a name that cannot be displayed', async (scene) => {
  const headers = bearer(await scene.join('ann'));

  for (const name of [
    '',
    ' ',
    'a\0b',
    'a\nb',
    'a\u202Eb',
    '\u200B',
    'x'.repeat(256),
    'x'.repeat(10_000),
  ]) {
    const error = errorOf(await upload(scene.url, TEXT, { name, headers }), 400, 'invalid');
    assert.equal((error.details?.['issues'] as { path: string }[])[0]?.path, 'name');
  }
  const twice = `${scene.url}/api/files?name=a&name=b`;
  errorOf(await request(twice, { method: 'POST', headers, body: 'x' }), 400, 'invalid');
  errorOf(await upload(scene.url, Buffer.alloc(0), { headers }), 400, 'invalid');
});

verifiesCore(
  'P-14.1',
  'decodes a name as forms do, and refuses invalid encodings',
  async (scene) => {
    const headers = bearer(await scene.join('ann'));
    const post = (query: string) =>
      request(`${scene.url}/api/files?${query}`, { method: 'POST', headers, body: 'x' });

    for (const [query, name] of [
      ['name=a+b.txt', 'a b.txt'],
      ['name=a%20b.txt', 'a b.txt'],
      ['x=%ff&name=a%2Bb.txt', 'a+b.txt'],
      ['name=a=b', 'a=b'],
    ] as const) {
      const { bytes } = await post(query);
      assert.equal((JSON.parse(bytes.toString()) as Attachment).name, name, query);
    }
    for (const query of ['name=%E0%A4%A', 'name=%ff', 'name=100%', 'name=%C0%AF', 'name']) {
      errorOf(await post(query), 400, 'invalid');
    }
  },
);

verifiesCore(['P-14.1', 'P-14.2', 'P-2.7'], 'accepts a token only in the header', async (scene) => {
  const ann = await scene.join('ann');
  const token = ann.welcome.token ?? '';
  const asBasic = { authorization: `Basic ${token}` };

  for (const headers of [{}, asBasic, { authorization: 'Bearer' }, { authorization: 'Bearer x' }]) {
    const answer = await upload(scene.url, TEXT, { headers });
    errorOf(answer, 401, 'token_invalid');
    assert.equal(answer.headers.get('www-authenticate'), 'Bearer');
  }
  const inUrl = `${scene.url}/api/files?token=${token}`;
  errorOf(await request(inUrl, { method: 'POST', body: 'x' }), 401, 'token_invalid');
  const both = { method: 'POST', headers: bearer(ann), body: 'x' };
  errorOf(await request(inUrl, both), 401, 'token_invalid');
});

verifiesCore(
  ['P-14.1', 'P-14.2', 'P-2.7'],
  'refuses an expired token',
  async (scene) => {
    const ann = await scene.join('ann');
    const authorization = `Bearer ${await expired(ann.welcome.token ?? '', KEY)}`;

    const answer = await upload(scene.url, TEXT, { headers: { authorization } });

    errorOf(answer, 401, 'token_expired');
  },
  { settings: { PARLANCE_TOKEN_KEYS: KEY.setting } },
);

verifiesCore(['P-14.1', 'P-2.5'], 'stores the guest on the first upload', async (scene) => {
  const ann = await scene.join('ann');
  const { id } = ann.welcome.user;
  const bob = await scene.join('bob');

  await uploaded(scene.url, ann, TEXT);
  await ann.close();

  assert.equal((await bob.ok('user.get', { user: id })).user.name, 'ann');
});

verifiesCore(
  ['P-14.1', 'P-14.7', 'P-13.8'],
  'lets a remote bot upload and read files with its token',
  async (scene) => {
    const { token, room, ann, connect } = await createRoomWithBot(scene);
    const headers = { authorization: `Bearer ${token}` };
    const bot = await connect();
    const sent = await uploaded(scene.url, ann, TEXT);
    await ann.ok('message.send', { room, files: [sent.id] });

    const { attachments = [] } = (await nextMessage(bot)).message;
    const got = await request(scene.url + (attachments[0]?.url ?? ''), { headers });
    const answer = await upload(scene.url, TEXT, { headers, name: 'answer.txt' });
    const { id } = JSON.parse(answer.bytes.toString()) as Attachment;
    await bot.ok('message.send', { room, files: [id] });

    assert(got.bytes.equals(TEXT));
    const written = await ann.event('message.created', ({ message }) => message.hops === 1);
    assert.equal(written.message.attachments?.[0]?.name, 'answer.txt');
  },
  { settings: {} },
);

verifiesCore(
  ['P-14.1', 'P-14.7', 'P-13.8'],
  'applies the scopes of a remote bot to HTTP requests',
  async (scene) => {
    const { token, room, ann, connect } = await createRoomWithBot(scene, ['messages:addressed']);
    const headers = { authorization: `Bearer ${token}` };
    await connect();
    const fileOf = async (text: string) => {
      const file = await uploaded(scene.url, ann, TEXT);
      await ann.ok('message.send', { room, text, files: [file.id] });
      return file;
    };
    const unseen = await fileOf('not for bots');
    const addressed = await fileOf('@remote look');

    const hidden = await request(scene.url + unseen.url, { headers });
    const shown = await request(scene.url + addressed.url, { headers });
    const error = errorOf(await upload(scene.url, TEXT, { headers }), 403, 'forbidden');

    errorOf(hidden, 404, 'not_found');
    assert.equal(shown.status, 200);
    assert.deepEqual(error.details, { scope: 'messages:write' });
  },
  { settings: {} },
);

verifiesCore(
  ['P-14.2', 'P-10.5'],
  'allows pages of listed origins, and no others',
  async (scene) => {
    const headers = { ...bearer(await scene.join('ann')), origin: 'https://listed.example' };
    const foreign = { ...headers, origin: 'https://other.example' };

    const taken = await upload(scene.url, TEXT, { headers });
    const refused = await upload(scene.url, TEXT, { headers: foreign });
    const preflight = await request(`${scene.url}/api/files/x/preview`, {
      method: 'OPTIONS',
      headers: { origin: headers.origin, 'access-control-request-method': 'GET' },
    });
    const error = await request(`${scene.url}/api/files/x`, { headers });

    assert.equal(taken.status, 201);
    errorOf(refused, 403, 'forbidden');
    assert.equal(refused.headers.get('access-control-allow-origin'), null);
    assert.equal(preflight.status, 204);
    assert.match(preflight.headers.get('access-control-allow-headers') ?? '', /authorization/i);
    for (const answer of [taken, preflight, error]) {
      assert.equal(answer.headers.get('access-control-allow-origin'), headers.origin);
      assert.match(answer.headers.get('vary') ?? '', /origin/i);
    }
  },
  { settings: { PARLANCE_ORIGINS: 'https://listed.example' } },
);

verifiesCore(['P-14.1', 'P-14.2'], 'answers in the formats of the examples', async (scene) => {
  const ann = await scene.join('ann');
  const examples = blocks('http').map(({ text }) => text);
  const [start = '', reply = '', refusal = ''] = examples;
  const bodyOf = (text: string): unknown => JSON.parse(text.slice(text.indexOf('\n\n')));
  const [method, target = ''] = start.split(' ');

  const answer = await request(scene.url + target, {
    method: method ?? '',
    headers: bearer(ann),
    body: new Uint8Array(await picture('png', { width: 1_200, height: 800 })),
  });
  const tooMuch = await upload(scene.url, TEXT, {
    headers: { ...bearer(ann), 'content-length': String(TEXT.length) },
    name: 'x'.repeat(256),
  });

  assert.equal(examples.length, 3);
  const example = Attachment.parse(bodyOf(reply));
  const file = Attachment.parse(JSON.parse(answer.bytes.toString()));
  assert.equal(String(answer.status), reply.split(' ')[1]);
  assert.deepEqual(Object.keys(file).sort(), Object.keys(example).sort());
  const { name, type, width, height, preview } = file;
  assert.deepEqual(
    { name, type, width, height, previewWidth: preview?.width, previewHeight: preview?.height },
    {
      name: 'harbour.png',
      type: 'image/png',
      width: 1_200,
      height: 800,
      previewWidth: 480,
      previewHeight: 320,
    },
  );
  const shown = bodyOf(refusal) as { error: object };
  const body = JSON.parse(tooMuch.bytes.toString()) as { error: object };
  assert.deepEqual(Object.keys(body), Object.keys(shown));
  assert.deepEqual(Object.keys(body.error).sort(), Object.keys(shown.error).sort());
});
