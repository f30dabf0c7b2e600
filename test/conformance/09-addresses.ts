import assert from 'node:assert/strict';

import { eventually } from '../support/eventually.js';
import { range } from './reading.js';
import { verifies, type Scene } from './suite.js';

const OVER_HTTP = ['websocket', 'socket.io websocket', 'socket.io polling'];
const TWO_CONNECTIONS = {
  PARLANCE_LIMIT_CONNECTIONS_PER_ADDRESS: '2',
  PARLANCE_TRUST_PROXY: 'loopback',
};
const TWO_GUESTS = { PARLANCE_LIMIT_GUESTS_PER_HOUR: '2', PARLANCE_TRUST_PROXY: 'loopback' };

const from = (address: string) => ({ headers: { 'X-Forwarded-For': address } });

/** Connects from an address; returns whether the server accepts the connection. */
async function isAccepted(scene: Scene, address: string): Promise<boolean> {
  const client = await scene.connect(from(address));
  client.send({ id: 'h', cmd: 'hello', data: { protocol: 1 } });
  await client.until(() => client.frames.length > 0, 'a welcome or bye');
  return client.events('bye').length === 0;
}

verifies(
  ['P-9.11', 'P-4.5', 'P-2.1'],
  'limits the connections of an address',
  async (scene) => {
    const first = await scene.connect(from('203.0.113.7'));
    await scene.connect(from('203.0.113.7'));
    const other = await scene.connect(from('203.0.113.8'));
    const hop = await scene.connect(from('203.0.113.7, 203.0.113.9'));

    const third = await scene.connect(from('203.0.113.7'));
    const bye = await third.event('bye');
    const { code } = await third.end();
    for (const client of [other, hop]) await client.ok('hello', { protocol: 1 });
    await first.close();
    await eventually(() => isAccepted(scene, '203.0.113.7'), 'room for one more');

    assert.deepEqual({ code: bye.code, reconnect: bye.reconnect }, { code: 4102, reconnect: true });
    assert.deepEqual(third.frames.length, 1, 'only bye is sent');
    if (scene.transport !== 'socket.io polling') assert.equal(code, 4102);
  },
  {
    settings: TWO_CONNECTIONS,
    only: OVER_HTTP,
  },
);

verifies(
  'P-9.11',
  'counts an IPv6 network as one address, and IPv4 within IPv6 as IPv4',
  async (scene) => {
    const one = ['2001:db8:1:2::7', '2001:DB8:1:2:ffff:ffff:ffff:ffff', '2001:db8:1:2:3::'];
    const others = ['2001:db8:1:3::7', '2001:db8:1::7', '2001:db8::1:2:0:7'];
    const ipv4 = ['::ffff:203.0.113.7', '203.0.113.7', '::ffff:cb00:7107'];
    const accepted: string[] = [];
    for (const address of [...one, ...others, ...ipv4]) {
      if (await isAccepted(scene, address)) accepted.push(address);
    }

    assert.deepEqual(accepted, [...one.slice(0, 2), ...others, ...ipv4.slice(0, 2)]);
  },
  {
    settings: TWO_CONNECTIONS,
    only: OVER_HTTP,
  },
);

verifies(
  ['P-9.10', 'P-9.11', 'P-2.2', 'P-4.2'],
  'limits the new guests of an IPv6 network',
  async (scene) => {
    for (const address of ['2001:db8:1:2::7', '2001:db8:1:2::8']) {
      await (await scene.connect(from(address))).ok('hello', { protocol: 1 });
    }

    const third = await scene.connect(from('2001:db8:1:2:f00d::9'));
    const error = await third.expectError('hello', { protocol: 1 }, 'rate_limited');
    const other = await scene.connect(from('2001:db8:1:3::7'));
    await other.ok('hello', { protocol: 1 });

    assert.deepEqual(error.details, { bucket: 'guests' });
  },
  {
    settings: TWO_GUESTS,
    only: OVER_HTTP,
  },
);

/** Forms of one forwarded address, as proxies write them. */
const WRITTEN: readonly (readonly string[])[] = [
  ['203.0.113.7:1001', '203.0.113.7:1002', '203.0.113.7'],
  ['[2001:db8::1]:1001', '[2001:db8::2]:1002', '[2001:db8::3]', '"[2001:db8::4]:_port"'],
  ['[::ffff:203.0.113.8]:1', '203.0.113.8:2', ' 203.0.113.8 '],
  ['::203.0.113.18', '::203.0.113.19', '::cb00:7114'],
  ['2001:db8:9::203.0.113.18', '[2001:db8:9::198.51.100.1]:7', '2001:db8:9::1'],
  ['203.0.113.10 :44', '203.0.113.10', '203.0.113.10'],
  ['fe80::1%eth0', '[fe80::2%eth1]:7', 'fe80::3'],
  ['2001:db8:1:2:3:4:5:6:1001', '2001:db8:1:2:3:4:5:6:1002', '2001:db8:1:2::9'],
  ['evil, 203.0.113.9:1', '198.51.100.1, 203.0.113.9:2', '203.0.113.9:3, 127.0.0.1:4'],
];

verifies(
  'P-9.11',
  'ignores port, brackets, quotes and zone of a forwarded address',
  async (scene) => {
    for (const [first = '', second = '', ...more] of WRITTEN) {
      assert(await isAccepted(scene, first), first);
      assert(await isAccepted(scene, second), second);
      for (const one of more) assert(!(await isAccepted(scene, one)), `${one} is one too many`);
    }
  },
  { settings: TWO_CONNECTIONS, only: OVER_HTTP },
);

verifies(
  'P-9.11',
  'counts forwarded values that are not addresses as the address of the proxy',
  async (scene) => {
    const unknown = ['unknown', '_hidden', 'garbage:1', '1', '0x7f.1', '010.1.1.1', '[]:1', '""'];
    const accepted: string[] = [];
    for (const one of unknown) if (await isAccepted(scene, one)) accepted.push(one);
    const known = await isAccepted(scene, '203.0.113.7,, ');
    // Counted as the address of the last named proxy if that is on another machine.
    const remote = ['203.0.113.9', 'unknown, 203.0.113.9:1', 'hidden,203.0.113.9'];
    for (const one of remote) if (await isAccepted(scene, one)) accepted.push(one);

    assert.deepEqual(accepted, [...unknown.slice(0, 2), ...remote.slice(0, 2)]);
    assert(known, 'empty entries are ignored');
  },
  {
    settings: { ...TWO_CONNECTIONS, PARLANCE_TRUST_PROXY: 'loopback,203.0.113.9' },
    only: OVER_HTTP,
  },
);

verifies(
  ['P-9.10', 'P-9.11', 'P-2.2', 'P-4.2'],
  'limits the new guests of an address',
  async (scene) => {
    const first = await scene.connect(from('203.0.113.7'));
    const { token } = await first.ok('hello', { protocol: 1 });
    const second = await scene.connect(from('203.0.113.7'));
    await second.expectError('hello', { protocol: 2 }, 'unsupported_version');
    await second.ok('hello', { protocol: 1 });

    await second.close();
    const third = await scene.connect(from('203.0.113.7:1003'));
    const error = await third.expectError('hello', { protocol: 1, name: 'ann' }, 'rate_limited');
    const other = await scene.connect(from('203.0.113.8'));
    await other.ok('hello', { protocol: 1 });
    for (const nothing of range(1, 4)) await scene.join(`of loopback ${String(nothing)}`);
    const { user } = await third.ok('hello', { protocol: 1, ...(token && { token }) });

    assert.deepEqual(error.details, { bucket: 'guests' });
    const { retryAfterMs: wait = 0 } = error;
    assert(wait > 60_000 && wait <= 1_800_000, `${String(wait)} ms for two guests an hour`);
    assert.deepEqual(user, first.welcome.user, 'a returning user is not a new guest');
  },
  {
    settings: TWO_GUESTS,
    only: OVER_HTTP,
  },
);

verifies(
  'P-9.11',
  'trusts forwarded addresses only from trusted proxies, and does not limit loopback addresses',
  async (scene) => {
    for (const nothing of range(1, 5)) {
      const client = await scene.connect(from('203.0.113.7'));
      await client.ok('hello', { protocol: 1, name: `guest ${String(nothing)}` });
    }
  },
  { settings: { PARLANCE_LIMIT_CONNECTIONS_PER_ADDRESS: '2' } },
);
