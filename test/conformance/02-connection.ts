import assert from 'node:assert/strict';

import { ANNOUNCED_LIMITS } from '#src/protocol/limits.js';
import { Welcome } from '#src/protocol/welcome.js';

import { tryUpgrade } from '../support/raw-websocket.js';
import { verifies } from './suite.js';

const WEBSOCKET = { only: ['websocket'], settings: {} };

verifies(
  'P-2.1',
  'answers 404 to an upgrade at a path that no transport owns',
  async ({ server }) => {
    for (const path of ['/', '/nowhere', '/ws/', '/ws/more', '/socket.io2/']) {
      const { status } = await tryUpgrade(`${server?.url ?? ''}${path}`);
      assert.equal(status, 404, path);
    }
  },
  WEBSOCKET,
);

verifies(
  ['P-2.1', 'P-2.10'],
  'opens a connection with invalid credentials, and reports them in a frame',
  async ({ connect }) => {
    const ann = await connect({ hello: { token: 'not-a-token' } });

    const { error, cmd } = await ann.event('error');

    assert.equal(error.code, 'token_invalid');
    assert.equal(cmd, 'hello');
    assert.equal(ann.closedAs, undefined);
  },
);

verifies('P-2.1', 'stays open when a hello fails', async ({ connect }) => {
  const ann = await connect();
  await ann.expectError('hello', { protocol: 1, token: 'not-a-token' }, 'token_invalid');
  await ann.expectError('session.ping', {}, 'hello_required');

  await ann.ok('hello', { protocol: 1, name: 'ann' });

  await ann.roundTrip();
});

verifies('P-2.2', 'creates a guest with the name in hello', async ({ connect }) => {
  const ann = await connect();

  const { user } = await ann.ok('hello', {
    protocol: 1,
    name: 'ann',
    client: { name: 'test', version: '1.0.0' },
  });

  assert.equal(user.name, 'ann');
  assert.equal(user.kind, 'guest');
});

verifies('P-2.2', 'generates a name for a guest without one', async ({ connect }) => {
  const one = await (await connect()).ok('hello', { protocol: 1 });
  const other = await (await connect()).ok('hello', { protocol: 1 });

  assert.match(one.user.name, /^guest-\w{4}$/);
  assert.notEqual(one.user.id, other.user.id);
});

verifies('P-2.2', 'uses the user of the token, whatever the name', async ({ connect }) => {
  const before = await (await connect()).ok('hello', { protocol: 1, name: 'ann' });
  const { token } = before;
  assert(token !== undefined);

  const after = await (await connect()).ok('hello', { protocol: 1, token, name: 'bob' });

  assert.deepEqual(after.user, before.user);
  assert.notEqual(after.session, before.session);
});

verifies(['P-2.2', 'P-3.3'], 'ignores unknown fields of hello', async ({ connect }) => {
  const ann = await connect();
  const future = { protocol: 1, name: 'ann', future: { a: [1] }, client: { name: 'x', more: 1 } };

  const reply = await ann.call('hello', future);

  assert(reply.ok, JSON.stringify(reply));
});

verifies('P-2.2', 'refuses every other command before hello', async ({ connect, room }) => {
  const ann = await connect();

  await ann.expectError('session.ping', {}, 'hello_required');
  await ann.expectError('room.join', { room: room(), create: true }, 'hello_required');
  await ann.expectError('auth.refresh', {}, 'hello_required');
});

verifies(
  ['P-2.2', 'P-3.3'],
  'reports an unknown command before hello, but not invalid data',
  async ({ connect }) => {
    const ann = await connect();
    const nested = { room: [[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]] };

    await ann.expectError('no.command', {}, 'unknown_command');
    await ann.expectError('no.command', nested, 'too_deep');
    await ann.expectError('room.get', nested, 'too_deep');
    await ann.expectError('room.get', { room: 5 }, 'hello_required');
  },
);

verifies('P-2.2', 'refuses a malformed hello', async ({ connect }) => {
  const ann = await connect();
  const wrong = [
    {},
    { protocol: '1' },
    { protocol: 1.5 },
    { protocol: 1, token: 7 },
    { protocol: 1, token: 'x'.repeat(4_097) },
    { protocol: 1, name: ['ann'] },
    { protocol: 1, client: { name: 'x'.repeat(65) } },
    { protocol: 1, client: { version: '1' } },
    { protocol: 1, heartbeat: 'sometimes' },
    { protocol: 1, resume: { lobby: 3 } },
  ];

  for (const data of wrong) await ann.expectError('hello', data, 'invalid');

  await ann.ok('hello', { protocol: 1 });
});

verifies(
  ['P-2.3', 'P-4.5'],
  'closes with 4003 if no hello succeeds in time, but keeps sessions open',
  async ({ connect, join }) => {
    const ann = await join('ann');
    const bob = await connect();
    await bob.expectError('hello', { protocol: 2 }, 'unsupported_version');

    const bye = await bob.event('bye');

    assert.equal(bye.code, 4003);
    assert.equal(bye.reconnect, false);
    await bob.end();
    await ann.roundTrip();
  },
  { settings: { PARLANCE_LIMIT_HELLO_TIMEOUT_MS: '400' } },
);

verifies('P-2.4', 'answers hello with a welcome of the documented shape', async ({ connect }) => {
  const ann = await connect();

  const welcome = await ann.ok('hello', { protocol: 1, name: 'ann' });

  assert.deepEqual(Welcome.parse(welcome), welcome);
  assert.deepEqual(welcome.resumed, {});
  assert.equal(welcome.me.seq, 0);
  assert(welcome.expiresAt > Date.now());
  assert(welcome.server.name !== '' && welcome.server.version !== '');
});

verifies('P-2.4', 'announces only a dozen limits in the welcome', async ({ connect }) => {
  const { limits } = await (await connect()).ok('hello', { protocol: 1 });

  assert.deepEqual(Object.keys(limits).sort(), [...ANNOUNCED_LIMITS].sort());
});

verifies('P-2.4', 'issues a token to a guest at each hello', async ({ connect }) => {
  const first = await (await connect()).ok('hello', { protocol: 1, name: 'ann' });
  assert(first.token !== undefined);

  const second = await (await connect()).ok('hello', { protocol: 1, token: first.token });
  assert(second.token !== undefined);
  const third = await (await connect()).ok('hello', { protocol: 1, token: second.token });

  assert(second.expiresAt >= first.expiresAt);
  assert.equal(third.user.id, first.user.id);
});

verifies('P-2.5', 'lets guests share a name, but not an id', async ({ connect }) => {
  const one = await (await connect()).ok('hello', { protocol: 1, name: 'ann' });
  const other = await (await connect()).ok('hello', { protocol: 1, name: 'ann' });

  assert.equal(one.user.name, other.user.name);
  assert.notEqual(one.user.id, other.user.id);
});

verifies('P-2.5', 'stores a guest at the first command that writes', async ({ connect, join }) => {
  const bob = await join('bob');
  const [ann, cat] = [await connect(), await connect()];
  const { user: writer } = await ann.ok('hello', { protocol: 1, name: 'ann' });
  const { user: reader } = await cat.ok('hello', { protocol: 1, name: 'cat' });
  await ann.ok('user.update', { name: 'anna' });
  assert.deepEqual((await bob.ok('user.get', { user: reader.id })).user, reader);

  await ann.close();
  await cat.close();
  let seen = await bob.call('user.get', { user: reader.id });
  for (const until = Date.now() + 5_000; seen.ok && Date.now() < until;) {
    seen = await bob.call('user.get', { user: reader.id });
  }

  assert(!seen.ok && seen.error.code === 'not_found', JSON.stringify(seen));
  assert.equal((await bob.ok('user.get', { user: writer.id })).user.name, 'anna');
});

const NAMES = {
  ann: 'ann',
  '  ann ': 'ann',
  ＡＮＮ: 'ANN',
  'Jose\u0301': 'José',
  'ann lee': 'ann lee',
  '𝒜': 'A',
  '漢字 العربية': '漢字 العربية',
  'ann \u2764\ufe0f': 'ann \u2764',
  '1\ufe0f\u20e3 \u270c\ufe0e': '1\u20e3 \u270c',
};

verifies('P-2.6', 'normalizes names', async ({ connect }) => {
  for (const [typed, name] of Object.entries(NAMES)) {
    const { user } = await (await connect()).ok('hello', { protocol: 1, name: typed });
    assert.equal(user.name, name);
  }
});

verifies('P-2.6', 'accepts names of 1 to 32 code points', async ({ connect }) => {
  for (const name of ['a', '😀'.repeat(32), `a${' '.repeat(255)}`]) {
    const { user } = await (await connect()).ok('hello', { protocol: 1, name });
    assert.equal(user.name, name.trim());
  }
});

verifies('P-2.6', 'refuses names that are invisible or too long', async ({ connect }) => {
  const ann = await connect();
  const blank = ['', ' ', '\u00a0\t'];
  const unseen = ['\u0000', '\u001b', '\u202e', '\u200b', '\ufeff', '\u2028', '\u2029', '\ue000'];
  const unassigned = ['\u0378', '\u3164', '\uffa0', '\u115f'];
  const ignorable = ['\ufe0f', '\u034f', '\u180b', '\u{e0100}', '\u00ad', '\u17b4', '\u200d'];
  const empty = ['\u2800', '\u{1d159}', '\u{13441}', '\ufffc'];
  const marks = ['\u0301', '\u0301 \u20dd'];
  const long = ['x'.repeat(33), '😀'.repeat(33), ' '.repeat(256) + 'a'];

  for (const part of [...unseen, ...unassigned, ...ignorable, ...empty]) {
    await ann.expectError('hello', { protocol: 1, name: `a${part}b` }, 'invalid');
    await ann.expectError('hello', { protocol: 1, name: part }, 'invalid');
  }
  for (const name of [...blank, ...marks, ...long]) {
    await ann.expectError('hello', { protocol: 1, name }, 'invalid');
  }
});

verifies(
  'P-2.10',
  'answers a shorthand hello with a welcome event, and refuses a second hello',
  async ({ connect }) => {
    const ann = await connect({ hello: { name: 'ann' } });

    const early = ann.post('hello', { protocol: 1, name: 'bob' });
    const { user } = await ann.event('welcome');
    const reply = await ann.reply(early);

    assert.equal(user.name, 'ann');
    assert(!reply.ok && reply.error.code === 'hello_repeated', JSON.stringify(reply));
    await ann.expectError('hello', { protocol: 1, token: 'x' }, 'hello_repeated');
    await ann.roundTrip();
    assert.equal(ann.events('welcome').length, 1);
  },
);

verifies(
  'P-2.10',
  'accepts a token while connecting, and a hello command if that token fails',
  async ({ connect }) => {
    const before = await (await connect()).ok('hello', { protocol: 1, name: 'ann' });
    assert(before.token !== undefined);

    const ann = await connect({ hello: { token: before.token } });
    assert.deepEqual((await ann.event('welcome')).user, before.user);
    const bob = await connect({ hello: { token: 'x' } });
    assert.equal((await bob.event('error')).error.code, 'token_invalid');
    const { user } = await bob.ok('hello', { protocol: 1, token: before.token });

    assert.deepEqual(user, before.user);
  },
);
