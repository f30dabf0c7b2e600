import assert from 'node:assert/strict';

import { TestClient, type Reply } from '../support/client.js';
import { GatedGateway, GatedModule } from '../support/gated.gateway.js';
import { startServer, type TestServer } from '../support/server.js';
import { OPEN, type Open } from './transports.js';

const SENT = 40;

/** Returns the ids of the replies so far, in order of arrival. */
function repliesOf({ frames }: TestClient): unknown[] {
  return (frames as Reply[]).map(({ re }) => re).filter((re) => re !== undefined);
}

describe.each(Object.entries<Open>(OPEN))('order over %s', (_name, open) => {
  let server: TestServer;
  let gateway: GatedGateway;

  const connect = () => TestClient.connect((listener) => open(server, listener));
  const join = async (name: string) => {
    const client = await connect();
    await client.ok('hello', { protocol: 1, name });
    return client;
  };

  beforeEach(async () => {
    server = await startServer({}, { modules: [GatedModule] });
    gateway = server.app.get(GatedGateway, { strict: false });
  });

  afterEach(async () => {
    await server.dispose();
  });

  test('P-3.4 sends no reply before that of an earlier command that is held', async () => {
    const [ann, bob] = [await join('ann'), await join('bob')];
    const ids = [ann.post('test.wait', { gate: 'one' })];
    ids.push(ann.post('session.ping'));
    ids.push(ann.post('room.join', { room: 'lobby', create: true }));
    for (let sent = 0; sent < SENT; sent++) {
      ids.push(ann.post('message.send', { room: 'lobby', text: String(sent) }));
    }
    ids.push(ann.post('no.command'), ann.post('message.history', { room: 'lobby' }));
    await gateway.untilReached('one');

    for (let turn = 0; turn < 5; turn++) await bob.roundTrip();
    assert.deepEqual(repliesOf(ann), ['c1'], 'only ann is held back');
    await bob.expectError('room.get', { room: 'lobby' }, 'not_found');
    gateway.open('one');
    await ann.reply(ids.at(-1));

    assert.deepEqual(repliesOf(ann), ['c1', ...ids]);
    const texts = ann.events('message.created').map(({ data }) => {
      return (data['message'] as { text: string }).text;
    });
    assert.deepEqual(
      texts,
      Array.from({ length: SENT }, (_, index) => String(index)),
    );
  });

  test('P-3.4 starts no command before the earlier one is done', async () => {
    const ann = await join('ann');
    const ids = ['one', 'two', 'three'].map((gate) => ann.post('test.wait', { gate }));

    gateway.open('three');
    await gateway.untilReached('one');
    gateway.open('two');
    assert.deepEqual(gateway.reached, ['one']);
    gateway.open('one');
    await ann.reply(ids.at(-1));

    assert.deepEqual(gateway.reached, ['one', 'two', 'three']);
    assert.deepEqual(repliesOf(ann), ['c1', ...ids]);
  });

  test('P-3.2 sends no reply to a closed connection', async () => {
    const [ann, bob] = [await join('ann'), await join('bob')];
    ann.post('test.wait', { gate: 'one' });
    await gateway.untilReached('one');

    await ann.close();
    gateway.open('one');
    await bob.roundTrip();

    assert.deepEqual(repliesOf(ann), ['c1']);
  });

  test('P-2.14 answers accepted commands, and refuses new connections', async () => {
    const ann = await join('ann');
    const held = ann.post('test.wait', { gate: 'one' });
    await gateway.untilReached('one');

    const stopped = server.stop();
    const bob = await connect();
    const bye = await bob.event('bye');
    assert.equal(bye.code, 4201);
    await bob.end();
    assert.equal(ann.events('bye').length, 0);
    gateway.open('one');

    assert((await ann.reply(held)).ok);
    assert.equal((await ann.event('bye')).code, 4201);
    await ann.end();
    await stopped;
  });
});
