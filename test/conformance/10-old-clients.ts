import assert from 'node:assert/strict';

import { captureErrorLog } from '../support/error-log.js';
import { Eio3Polling } from '../support/eio3-polling.js';
import { verifies } from './suite.js';

const LISTED = 'https://app.example.org';
const EVIL = 'https://evil.example';
const POLLING = '/socket.io/?EIO=3&transport=polling';
const BY_POLLING = { only: ['socket.io polling'], settings: {} };
const WITH_LIST = { only: ['socket.io polling'], settings: { PARLANCE_ORIGINS: LISTED } };

/** A line of the log, as `error-log` returns it. */
type Line = readonly [Readonly<Record<string, unknown>>, ...unknown[]];

verifies(
  'P-10.3',
  'answers Engine.IO 3 polls in binary framing',
  async ({ server }) => {
    const polling = await Eio3Polling.open(server?.url ?? '');
    assert.equal(polling.contentType, 'application/octet-stream');
    await polling.until('40');

    const hello = '420["hello",{"protocol":1,"name":"Zoë 𐐀"}]';
    assert.equal(await polling.postBinary(hello, '421["session.ping"]'), 200);

    assert.match(await polling.until('430'), /"name":"Zoë 𐐀"/);
    assert.match(await polling.until('431'), /"ok":true/);
    assert.equal(await polling.postBinary('41'), 200);
  },
  BY_POLLING,
);

verifies(
  'P-10.3',
  'answers Engine.IO 3 polls as text when the first request has b64',
  async ({ server }) => {
    const polling = await Eio3Polling.open(server?.url ?? '', '&b64=1');

    assert.equal(polling.contentType, 'text/plain; charset=UTF-8');
    await polling.until('40');
    assert.equal(await polling.post('420["hello",{"protocol":1,"name":"Zoë"}]'), 200);
    assert.match(await polling.until('430'), /"name":"Zoë"/);
    assert.equal(await polling.post('41'), 200);
  },
  BY_POLLING,
);

verifies(
  'P-10.3',
  'decodes the bytes that Socket.IO 1.0 to 1.3 clients post as text',
  async ({ server }) => {
    const url = server?.url ?? '';
    const [first, wrong, later] = [
      await Eio3Polling.open(url, '&t=1436000000000-0'),
      await Eio3Polling.open(url, '&t=1436000000000-0'),
      await Eio3Polling.open(url, '&t=LdvS9kN'),
    ];
    const hello = (name: string) => `420${JSON.stringify(['hello', { protocol: 1, name }])}`;

    await first.postBytesAsTexts(hello('Zoë 𐐀'));
    await later.post(hello('Zoë 𐐀'));
    await wrong.post(hello('Zoë'));

    assert.match(await first.until('430'), /"name":"Zoë 𐐀"/);
    assert.match(await later.until('430'), /"name":"Zoë 𐐀"/);
    assert.equal(await wrong.post('2'), 400, 'invalid UTF-8 ends the session');
    for (const session of [first, later]) await session.post('41');
  },
  BY_POLLING,
);

verifies(
  'P-10.3',
  'decodes é🚀 as bytes from Socket.IO 1.4 to 1.7 clients, and as characters from 2.x clients',
  async ({ server }) => {
    const hello = (name: string) => `420${JSON.stringify(['hello', { protocol: 1, name }])}`;
    const rename = (name: string) => `421${JSON.stringify(['user.update', { name }])}`;
    const open = () => Eio3Polling.open(server?.url ?? '', '&t=LdvS9kN');
    const [asBytes, asCharacters, mixed] = [await open(), await open(), await open()];

    await asBytes.postBytesAsTexts(hello('ann é'), rename('ann é🎉'));
    await asCharacters.post(hello('bob é'), rename('bob é🎉'));
    // A character above U+00FF shows that the client posts characters, also in later texts.
    await mixed.post(hello('eve ł'), rename('eve Ã«'));

    assert.match(await asBytes.until('430'), /"name":"ann é"/);
    assert.match(await asBytes.until('431'), /"name":"ann é🎉"/);
    assert.match(await asCharacters.until('430'), /"name":"bob é"/);
    assert.match(await asCharacters.until('431'), /"name":"bob é🎉"/);
    assert.match(await mixed.until('430'), /"name":"eve ł"/);
    assert.match(await mixed.until('431'), /"name":"eve Ã«"/);
    for (const session of [asBytes, asCharacters, mixed]) await session.post('41');
  },
  BY_POLLING,
);

verifies(
  ['P-10.5', 'P-10.3'],
  'lets pages of a listed origin read poll responses with credentials',
  async ({ server }) => {
    const url = `${server?.url ?? ''}${POLLING}`;
    const asked = {
      Origin: LISTED,
      'Access-Control-Request-Method': 'POST',
      'Access-Control-Request-Headers': 'content-type',
    };

    const answers = [
      await fetch(url, { method: 'OPTIONS', headers: asked }),
      await fetch(url, { headers: { Origin: LISTED } }),
    ];
    const refused = await fetch(url, { method: 'OPTIONS', headers: { ...asked, Origin: EVIL } });

    const [, sid = ''] = /"sid":"([^"]+)"/.exec((await answers[1]?.text()) ?? '') ?? [];
    await fetch(`${url}&sid=${sid}`, { method: 'POST', body: '1:1' });

    for (const { status, headers } of answers) {
      assert(status < 300, String(status));
      assert.equal(headers.get('access-control-allow-origin'), LISTED);
      assert.equal(headers.get('access-control-allow-credentials'), 'true');
    }
    assert.match(answers[0]?.headers.get('access-control-allow-methods') ?? '', /POST/);
    assert.equal(answers[0]?.headers.get('access-control-allow-headers'), 'content-type');
    assert.deepEqual(
      { status: refused.status, allowOrigin: refused.headers.get('access-control-allow-origin') },
      { status: 403, allowOrigin: null },
    );
  },
  WITH_LIST,
);

verifies(
  'P-10.5',
  'logs a refused origin once, with how to allow it',
  async ({ server }) => {
    const url = `${server?.url ?? ''}${POLLING}`;
    const origins = [EVIL, EVIL, 'null', 'nonsense'];

    const logged = await captureErrorLog(async () => {
      for (const Origin of origins) await fetch(url, { headers: { Origin } });
    });

    const lines = (logged as Line[]).map(([line]) => line);
    assert.deepEqual(
      lines.map(({ origin }) => origin),
      [EVIL, 'null', undefined],
    );
    assert.match(String(lines[0]?.['advice']), /PARLANCE_ORIGINS=https:\/\/app\.example\.org,/);
    assert.match(String(lines[0]?.['advice']), /,https:\/\/evil\.example$/);
    assert.match(String(lines[1]?.['advice']), /serve it over HTTP/);
    assert.match(String(lines[2]?.['advice']), /not an origin/);
  },
  WITH_LIST,
);

verifies(
  'P-10.5',
  'logs at most 20 origins',
  async ({ server }) => {
    const url = `${server?.url ?? ''}${POLLING}`;
    const longest = `https://${'x'.repeat(5_000)}.example`;

    const logged = await captureErrorLog(async () => {
      await fetch(url, { headers: { Origin: longest } });
      for (let i = 0; i < 30; i++) {
        await fetch(url, { headers: { Origin: `https://page-${String(i)}.example` } });
      }
    });

    const lines = (logged as Line[]).map(([line]) => line);
    assert.equal(
      lines.length,
      21,
      'one line per origin, and one that says that more are suppressed',
    );
    assert.match(String(lines.at(-1)?.['msg']), /^More origins/);
    assert.equal(lines[0]?.['origin'], undefined, 'no host has this name');
  },
  WITH_LIST,
);
