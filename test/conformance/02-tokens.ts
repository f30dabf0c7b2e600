import assert from 'node:assert/strict';

import type { Welcome } from '#src/protocol/welcome.js';

import { withClockAhead } from '../support/clock.js';
import type { TestClient } from '../support/client.js';
import { openRaw } from '../support/raw-websocket.js';
import { altered, expired, makeKey, signAgain, unsigned } from '../support/tokens.js';
import { verifies } from './suite.js';

const SECOND = 1_000;
const KEY = makeKey('test');
const WITH_KEY = { settings: { PARLANCE_TOKEN_KEYS: KEY.setting } };

/** Sends hello as a guest; returns the welcome with its token. */
async function greet(client: TestClient, token?: string): Promise<Welcome & { token: string }> {
  const who = token === undefined ? { name: 'ann' } : { token };
  const welcome = await client.ok('hello', { protocol: 1, ...who });
  assert(welcome.token !== undefined, 'a guest gets a token');
  return welcome as Welcome & { token: string };
}

verifies('P-2.7', 'signs tokens with HS256', async ({ connect }) => {
  const { token } = await greet(await connect());

  const [header = ''] = token.split('.');

  const { alg } = JSON.parse(Buffer.from(header, 'base64url').toString()) as { alg: string };
  assert.equal(alg, 'HS256');
});

verifies('P-2.7', 'refuses a token that it did not issue', async ({ connect }) => {
  const { token } = await greet(await connect());
  const bob = await connect();
  const foreign = await signAgain(token, makeKey('other'), {});

  for (const bad of ['x', 'a.b.c', altered(token), unsigned(token), foreign, `${token}x`]) {
    await bob.expectError('hello', { protocol: 1, token: bad }, 'token_invalid');
  }
});

verifies(
  'P-2.7',
  'refuses an expired token, and then accepts a hello without a token',
  async ({ connect }) => {
    const before = await greet(await connect());
    const ann = await connect();

    const token = await expired(before.token, KEY);
    await ann.expectError('hello', { protocol: 1, token }, 'token_expired');
    const after = await greet(ann);

    assert.notEqual(after.user.id, before.user.id);
  },
  WITH_KEY,
);

verifies(
  'P-2.7',
  'accepts tokens of every configured key, and signs with the first',
  async ({ connect, start }) => {
    const newer = makeKey('newer');
    const before = await greet(await connect());

    const both = await start({ PARLANCE_TOKEN_KEYS: `${newer.setting},${KEY.setting}` });
    const during = await greet(await both.connect(), before.token);
    const alone = await start({ PARLANCE_TOKEN_KEYS: newer.setting });
    const after = await greet(await alone.connect(), during.token);

    assert.equal(after.user.id, before.user.id);
    const late = await alone.connect();
    await late.expectError('hello', { protocol: 1, token: before.token }, 'token_invalid');
  },
  WITH_KEY,
);

verifies(
  'P-2.7',
  'ignores a token in a URL, reports it, and keeps the connection open',
  async ({ connect, server }) => {
    const { token, user } = await greet(await connect());
    const url = `ws://127.0.0.1:${String(server?.port)}/ws?name=bob&token=${token}`;
    const { client } = await openRaw(url);

    const { error, cmd } = await client.event('error');

    assert.equal(error.code, 'token_invalid');
    assert.equal(cmd, 'hello');
    assert.match(error.message, /hello|Authorization/);
    await client.expectError('session.ping', {}, 'hello_required');
    assert.notEqual((await greet(client)).user.id, user.id);
    assert.equal(client.events('welcome').length, 0);
  },
  { only: ['websocket'], settings: {} },
);

verifies('P-2.8', 'lets a user have several sessions with one name', async ({ connect, room }) => {
  const [one, other] = [await connect(), await connect()];
  const name = room();
  const { token, user } = await greet(one);
  await one.ok('room.join', { room: name, create: true });

  assert.deepEqual((await greet(other, token)).user, user);
  await one.ok('message.send', { room: name, text: 'before' });
  await one.event('message.created');
  await other.roundTrip();
  assert.deepEqual(other.logged(name), [], 'attachment is not shared');
  const cut = await other.ok('room.sync', { room: name });
  await one.ok('message.send', { room: name, text: 'after' });

  assert('you' in cut && cut.you.user.id === user.id, 'membership is shared');
  assert.equal((await other.event('message.created')).message.text, 'after');
});

verifies(
  ['P-2.8', 'P-4.5'],
  'refuses a session past the limit of a user, and closes it with 4102',
  async ({ connect }) => {
    const { token } = await greet(await connect());
    await greet(await connect(), token);
    const third = await connect();

    await third.expectError('hello', { protocol: 1, token }, 'too_many_connections');
    const bye = await third.event('bye');

    assert.equal(bye.code, 4102);
    assert.equal(bye.reconnect, true);
    await third.end();
    await greet(await connect());
  },
  { settings: { PARLANCE_LIMIT_CONNECTIONS_PER_USER: '2' } },
);

verifies(
  'P-2.9',
  'announces directly after the welcome that a token expires soon',
  async ({ connect }) => {
    const ann = await connect();
    const { expiresAt } = await greet(ann);

    const expiring = await ann.event('auth.expiring');

    assert.equal(expiring.expiresAt, expiresAt);
    assert(expiring.inMs > 0 && expiring.inMs <= 30 * SECOND, String(expiring.inMs));
  },
  { settings: { PARLANCE_TOKEN_SECONDS: '30' } },
);

verifies(
  'P-2.9',
  'announces 60 s before the expiry that a token expires, and not earlier',
  async ({ connect }) => {
    const [ann, bob] = [await connect(), await connect()];
    const now = Math.floor(Date.now() / SECOND);
    const later = await signAgain((await greet(ann)).token, KEY, { exp: now + 120 });
    const sooner = await signAgain((await greet(bob)).token, KEY, { exp: now + 59 });

    await ann.ok('auth.refresh', { token: later });
    await bob.ok('auth.refresh', { token: sooner });
    const { expiresAt, inMs } = await bob.event('auth.expiring');
    await ann.roundTrip();

    assert.equal(expiresAt, (now + 59) * SECOND);
    assert(inMs > 50 * SECOND && inMs <= 60 * SECOND, String(inMs));
    assert.equal(ann.events('auth.expiring').length, 0);
  },
  WITH_KEY,
);

verifies('P-2.9', 'issues a new token to a running session', async ({ connect }) => {
  const ann = await connect();
  const { user, expiresAt } = await greet(ann);

  const fresh = await ann.ok('auth.refresh', {});

  assert(fresh.expiresAt >= expiresAt);
  await ann.roundTrip();
  assert.equal((await greet(await connect(), fresh.token)).user.id, user.id);
});

verifies('P-2.9', 'adopts a token of the same user', async ({ connect }) => {
  const ann = await connect();
  const { token, expiresAt } = await greet(ann);

  assert.deepEqual(await ann.ok('auth.refresh', { token }), { token, expiresAt });
});

verifies(
  'P-2.9',
  'refuses to adopt an invalid token or the token of another user',
  async ({ connect }) => {
    const [ann, bob] = [await connect(), await connect()];
    const { token } = await greet(ann);
    const other = await greet(bob);

    await ann.expectError('auth.refresh', { token: other.token }, 'forbidden');
    await ann.expectError('auth.refresh', { token: altered(token) }, 'token_invalid');
    await ann.expectError('auth.refresh', { token: await expired(token, KEY) }, 'token_expired');

    await ann.roundTrip();
  },
  WITH_KEY,
);

verifies(
  'P-2.9',
  'works as before for 25 s after the expiry, and accepts a refresh in that time',
  async ({ connect }) => {
    const ann = await connect();
    const { expiresAt } = await greet(ann);
    const left = expiresAt - Date.now();

    await withClockAhead(left + 20 * SECOND, async () => {
      await ann.event('auth.expiring');
      await ann.roundTrip();
      await ann.ok('auth.refresh', {});
    });
    await withClockAhead(left + 30 * SECOND, () => ann.roundTrip());
    assert.equal(ann.events('bye').length, 0);
  },
  // When it sends, the Socket.IO client mistakes a clock that runs ahead for a lost heartbeat.
  { only: ['websocket', 'in-memory'], settings: {} },
);

verifies(
  ['P-2.9', 'P-4.5'],
  'closes a session with 4301 if its token is not refreshed 25 s after the expiry',
  async ({ connect }) => {
    const ann = await connect();
    const { expiresAt } = await greet(ann);

    await withClockAhead(expiresAt + 26 * SECOND - Date.now(), async () => {
      const bye = await ann.event('bye');
      assert.equal(bye.code, 4301);
      assert.equal(bye.reconnect, false);
      await ann.end();
    });
  },
  { settings: {} },
);
