import assert from 'node:assert/strict';

import { OpenConnections } from '#src/chat/open-connections.js';
import type { WireError } from '#src/protocol/errors.js';

import { TestClient } from '../support/client.js';
import { captureErrorLog } from '../support/error-log.js';
import { eventually } from '../support/eventually.js';
import { HeldReader } from '../support/held-reader.js';
import { startServer, type TestServer } from '../support/server.js';
import { ShopGateway, ShopModule } from '../support/shop.gateway.js';
import { OPEN, type Open } from './transports.js';

describe.each(Object.entries<Open>(OPEN))('a plain Nest gateway over %s', (_name, open) => {
  let server: TestServer;
  let ann: TestClient;

  beforeAll(async () => {
    server = await startServer({}, { modules: [ShopModule] });
  });

  beforeEach(async () => {
    ann = await TestClient.connect((listener) => open(server, listener));
    await ann.ok('hello', { protocol: 1, name: 'ann' });
  });

  afterEach(async () => {
    await ann.close();
  });

  afterAll(async () => {
    await server.dispose();
  });

  const result = async (cmd: string, data: unknown = {}): Promise<unknown> => {
    const reply = await ann.call(cmd, data);
    assert(reply.ok, JSON.stringify(reply));
    return reply.data;
  };

  test('P-3.2 returns the result of a handler as the reply', async () => {
    const data = { event: 'x', list: [1, { a: null }] };

    assert.deepEqual(await result('shop.echo', data), data);
    assert.deepEqual(await result('shop.later'), { price: 5 });
    assert.deepEqual(await result('shop.wrapped'), { wrapped: { price: 5 } });
    assert.deepEqual(await result('shop.count', { count: '7' }), { count: 7 });
  });

  test('P-3.2 answers when a handler returns nothing', async () => {
    assert.deepEqual(await result('shop.nothing'), {});
  });

  test('P-10.1 passes the connection to handlers', async () => {
    assert.deepEqual(await result('shop.who'), { id: ann.welcome.user.id });
    await ann.until(() => ann.events('shop.greeting').length === 1, 'an event of the gateway');
  });

  test('P-2.2 requires a session for every command', async () => {
    const bob = await TestClient.connect((listener) => open(server, listener));

    await bob.expectError('shop.echo', {}, 'hello_required');

    await bob.close();
  });

  test('P-4.1 reports failures in the reply to the command that failed', async () => {
    const refused = await ann.expectError('shop.refuse', {}, 'forbidden');
    assert.equal(refused.message, 'We are closed.');
    await ann.expectError('shop.failLater', {}, 'forbidden');
    await ann.expectError('shop.close', {}, 'forbidden');
    await ann.expectError('shop.find', {}, 'not_found');
    await ann.expectError('shop.count', { count: 'many' }, 'invalid');
    const { details } = await ann.expectError('shop.limit', {}, 'limit_reached');
    assert.deepEqual(details, { limit: 'apples', value: 3 });
    assert.deepEqual(ann.events('exception'), []);
  });

  test('P-3.6 reports failures of commands without an id in an error event', async () => {
    ann.send({ cmd: 'shop.refuse', data: {} });

    const { error, cmd } = await ann.event('error');

    assert.equal(error.code, 'forbidden');
    assert.equal(cmd, 'shop.refuse');
  });

  test('P-3.2 answers exactly once when a filter reports an event', async () => {
    const reply = await ann.call('shop.buy');
    await ann.roundTrip();

    assert(!reply.ok, JSON.stringify(reply));
    assert.equal(ann.events('shop.empty').length, 1);
  });

  test('P-4.4 answers a fault with only an id that the log has', async () => {
    let error: WireError | undefined;
    const logged = await captureErrorLog(async () => {
      error = await ann.expectError('shop.fail', {}, 'internal');
    });

    const incident = error?.details?.['incident'];
    assert.equal(typeof incident, 'string');
    assert.deepEqual(Object.keys(error?.details ?? {}), ['incident']);
    assert.equal(error?.retryable, true);
    assert(!JSON.stringify(ann.frames).includes('1234'), 'the client does not see the fault');
    assert.equal(logged.length, 1, 'the fault is logged once');
    assert(JSON.stringify(logged).includes(String(incident)), 'the id is logged');
  });

  test('P-4.4 answers with an error id if JSON cannot express what a handler returns', async () => {
    const cmds = ['shop.big', 'shop.cycle', 'shop.wordless'];

    const logged = await captureErrorLog(async () => {
      const ids = cmds.map((cmd) => ann.post(cmd));
      const last = ann.post('shop.later');
      for (const id of ids) {
        const reply = await ann.reply(id);
        assert.equal(reply.ok ? 'ok' : reply.error.code, 'internal');
      }
      assert.equal((await ann.reply(last)).ok, true);
      ann.send({ cmd: 'shop.big' });
      await ann.roundTrip();
    });

    assert.equal(logged.length, cmds.length, 'a failed reply without an id causes no error');
    assert.deepEqual(ann.events('error'), []);
  });

  test('P-4.1 does not log protocol errors', async () => {
    const logged = await captureErrorLog(async () => {
      await ann.expectError('room.get', { room: 'nowhere' }, 'not_found');
      await ann.expectError('room.get', { room: '!' }, 'invalid');
      await ann.expectError('shop.refuse', {}, 'forbidden');
      await ann.expectError('shop.limit', {}, 'limit_reached');
    });

    assert.deepEqual(logged, []);
  });

  test('P-2.1 reports connects and disconnects to the gateway', async () => {
    const { visits } = server.app.get(ShopGateway, { strict: false });
    visits.length = 0;
    const bob = await TestClient.connect((listener) => open(server, listener));
    assert.deepEqual(visits, []);

    await bob.ok('hello', { protocol: 1, name: 'bob' });
    assert.deepEqual(visits, ['+bob']);
    await bob.close();
    for (let turn = 0; turn < 100 && visits.length < 2; turn++) await ann.roundTrip();

    assert.deepEqual(visits, ['+bob', '-bob']);
  });

  test('P-4.4 keeps running after a gateway throws at the end of a connection', async () => {
    const { visits } = server.app.get(ShopGateway, { strict: false });
    const bob = await TestClient.connect((listener) => open(server, listener));
    await bob.ok('hello', { protocol: 1, name: 'bob' });
    await bob.call('shop.watch');
    visits.length = 0;

    const logged = await captureErrorLog(async () => {
      await bob.close();
      await eventually(() => [...server.app.get(OpenConnections).all()].length === 1, 'the end');
    });
    await ann.expectError('user.get', { user: bob.welcome.user.id }, 'not_found');

    assert.deepEqual(visits, ['-bob']);
    assert.equal(logged.length, 1);
  });

  test.each(['step', 'cable'])(
    'P-4.4 keeps running after a gateway throws when %s connects and disconnects',
    async (name) => {
      const { visits } = server.app.get(ShopGateway, { strict: false });
      visits.length = 0;

      const logged = await captureErrorLog(async () => {
        const client = await TestClient.connect((listener) => open(server, listener));
        await client.ok('hello', { protocol: 1, name });
        await client.ok('room.join', { room: 'general' });
        await client.close();
        await eventually(() => visits.length === 2, 'the end of the connection');
        await ann.roundTrip();
      });

      assert.deepEqual(visits, [`+${name}`, `-${name}`], 'the other gateways are notified');
      assert.equal(logged.length, 2);
    },
  );

  test('P-2.1 does not report a client that disconnects before the welcome', async () => {
    const { visits } = server.app.get(ShopGateway, { strict: false });
    const { token, user } = ann.welcome;
    const hello = { protocol: 1, token };
    const isOnline = () => {
      const all = [...server.app.get(OpenConnections).all()];
      return all.some(({ session }) => session?.user.id === user.id);
    };
    await ann.close();
    await eventually(() => !isOnline(), 'the end of the session');
    visits.length = 0;

    const reads = HeldReader.hold(server);
    const first = await TestClient.connect((listener) => open(server, listener));
    first.post('hello', hello);
    await eventually(isOnline, 'a hello that waits for the database');
    await first.close();
    await eventually(() => !isOnline(), 'the end of its connection');
    const second = await TestClient.connect((listener) => open(server, listener));
    const id = second.post('hello', hello);
    await eventually(isOnline, 'another hello of the same user');
    await reads.release();
    const welcome = await second.reply(id);
    await second.ok('user.update', { name: 'anna' });
    await second.event('user.updated');
    await second.close();

    assert(welcome.ok);
    assert.deepEqual(visits.slice(0, 1), ['+ann']);
    assert.equal(visits.filter((visit) => visit.startsWith('+')).length, 1);
  });
});
