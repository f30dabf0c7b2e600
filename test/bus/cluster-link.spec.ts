import { Logger } from '@nestjs/common';

import { Envelopes } from '#src/bus/envelope.js';
import type { MemoryHub } from '#src/bus/memory.driver.js';
import { ReconnectingBus } from '#src/bus/reconnecting.bus.js';
import { logSubject, partitionOf } from '#src/bus/subjects.js';
import { PinoLogger } from '#src/server/logger.js';

import { CLUSTER, ClusterNode } from '../support/cluster-node.js';
import { change, event, FaultyNodes, LOG, LOST } from '../support/faulty-nodes.js';
import type { ManualClock } from '../support/manual-clock.js';

const PARTITION = partitionOf(LOG, CLUSTER.partitions);
const HERE = `recheck ${String(PARTITION)}`;

let clock: ManualClock;
let hub: MemoryHub;
let start: FaultyNodes['start'];
let startTwo: FaultyNodes['startTwo'];
let nodes: FaultyNodes;

beforeAll(() => void Logger.overrideLogger(new PinoLogger('silent')));
afterAll(() => void Logger.overrideLogger(new PinoLogger('fatal')));

beforeEach(() => {
  nodes = new FaultyNodes();
  ({ clock, hub, start, startTwo } = nodes);
});

afterEach(() => nodes.leave());

describe('frames', () => {
  test('reach the other nodes with everything that was sent', async () => {
    const { one, two } = await startTwo();
    const ephemeral = { room: LOG, epoch: 'e', head: 7, type: 'typing', data: { user: 'u' } };
    const controls = [
      { to: 'all', type: 'a', data: 1 },
      { to: { user: 'u' }, type: 'b', data: 2 },
      { to: { node: two.boot }, type: 'c', data: 3 },
      { to: { node: 'somebody-else' }, type: 'd', data: 4 },
    ] as const;

    one.link.announce([change(1), change(1, 'room-2'), change(1, 'room-9')]);
    one.link.sendEphemeral(ephemeral);
    for (const control of controls) one.link.sendControl(control);
    await clock.advance(0);

    expect(two.changes).toHaveLength(3);
    expect(two.changes).toEqual(
      expect.arrayContaining([change(1), change(1, 'room-2'), change(1, 'room-9')]),
    );
    expect(two.ephemerals).toEqual([ephemeral]);
    expect(two.controls).toEqual(controls.slice(0, 3));
    expect(one.changes).toEqual([]);
    expect(two.takeTold()).toEqual([]);
  });

  test('of one commit share a frame per partition', async () => {
    const { one } = await startTwo();
    const sent = one.link.counters.sent;
    const logs = Array.from({ length: 100 }, (_, n) => `log-${String(n)}`);
    one.link.announce(logs.map((log) => change(1, log)));

    expect(one.link.counters.sent - sent).toBe(CLUSTER.partitions);
  });

  test('that are too large carry only the heads', async () => {
    const { one, two } = await startTwo({ maxBytes: 3_000 });
    one.link.announce([{ ...change(1), events: [event(LOG, 1, 'x'.repeat(4_000))] }]);
    await clock.advance(0);

    expect(two.changes).toEqual([{ log: LOG, epoch: 'e', head: 1 }]);
    expect(one.link.counters.shortened).toBe(1);
  });

  test('whose heads are too large are divided', async () => {
    const { one, two } = await startTwo({ maxBytes: 3_000 });
    const logs = Array.from({ length: 1_000 }, (_, n) => `log-${String(n)}`);
    one.link.announce(logs.map((log) => change(1, log)));
    await clock.advance(0);

    expect(two.changes.map(({ log }) => log).sort()).toEqual(logs.sort());
    expect(one.link.counters.dropped).toBe(0);
  });

  test('carry only the last head of 5 ms over a bus without events', async () => {
    const { one, two } = await startTwo({ carriesEvents: false });
    one.link.announce([change(1)]);
    one.link.announce([change(2)]);
    await clock.advance(5);

    expect(two.changes).toEqual([{ log: LOG, epoch: 'e', head: 2 }]);
  });

  test('that are forged or damaged are counted and dropped', async () => {
    const { one, two } = await startTwo();
    const thief = new ReconnectingBus(hub.driver(CLUSTER.id), clock).start();
    await clock.advance(0);
    const forger = new Envelopes(CLUSTER.id, Buffer.alloc(32), one.boot);
    const forged = forger.seal(logSubject(PARTITION), 9, '{"at":1,"logs":[]}');
    thief.publish(logSubject(PARTITION), forged);
    thief.publish(logSubject(PARTITION), forged.subarray(0, 20));
    thief.publish(logSubject(PARTITION), Buffer.alloc(0));
    await clock.advance(1_000);
    await thief.close();

    expect(two.link.counters).toMatchObject({ forged: 3, gaps: 0, unreadable: 0 });
    expect(two.takeTold()).toEqual([]);
  });

  test('of an unknown format make the receiver compare the partition', async () => {
    const { one, two } = await startTwo();
    const newer = new Envelopes(CLUSTER.id, CLUSTER.key, one.boot);
    one.bus.publish(logSubject(PARTITION), newer.seal(logSubject(PARTITION), 1, '?', 2));
    one.bus.publish('c', newer.seal('c', 1, '?', 2));
    await clock.advance(50);

    expect(two.takeTold()).toEqual([`${HERE}: format`, 'recheck  control: format']);
    expect(two.link.counters.unreadable).toBe(2);
  });

  test('that arrive twice are delivered once, and late ones still', async () => {
    const { one, two } = await startTwo();
    const subject = logSubject(PARTITION);
    const sealer = new Envelopes(CLUSTER.id, CLUSTER.key, one.boot);
    const frame = (counter: number): Buffer =>
      sealer.seal(subject, counter, JSON.stringify({ at: 1, logs: [change(counter)] }));
    for (const counter of [1, 1, 3, 2, 2, 3]) one.bus.publish(subject, frame(counter));
    await clock.advance(0);

    expect(two.changes.map(({ head }) => head)).toEqual([1, 3, 2]);
    expect(two.link.counters).toMatchObject({ doubled: 3, late: 1, gaps: 1 });
  });

  test('reach a listener that throws, which ends nothing', async () => {
    const { one } = await startTwo();
    const bus = new ReconnectingBus(hub.driver(CLUSTER.id), clock).start();
    const fail = (): never => {
      throw new Error('fault of the listener');
    };
    const node = new ClusterNode(bus, clock, 'three', { log: fail, recheck: fail });
    nodes.add(node);
    node.link.start();
    await clock.advance(1_000);
    one.link.announce([change(1)]);
    await clock.advance(1_000);

    expect(bus.state).toBe('connected');
    expect(node.link.isDegraded).toBe(false);
  });
});

describe('a node', () => {
  test('that starts finds the others, and compares all logs when it is subscribed', async () => {
    const { one } = await startTwo();
    const { node } = start('three');
    await clock.advance(600);

    expect(node.takeTold()).toEqual([
      'bus connected',
      'recheck all control: joined',
      'found one',
      'found two',
    ]);
    expect(one.takeTold()).toEqual(['found three']);
    expect(one.link.listPeers().map(({ state }) => state)).toContainEqual({ for: 'three' });
  });

  test('that dies is noticed within 1.5 s, and rechecked until it is forgotten', async () => {
    const { one, two, faulty } = await startTwo();
    const killedAt = clock.now();
    await one.bus.close();
    await clock.advance(1_500);
    expect(two.told[0]?.what).toBe('silent one');
    expect(two.told[1]?.what).toBe('recheck all control: silence');
    expect((two.told[1]?.at ?? Infinity) - killedAt).toBeLessThanOrEqual(1_100);
    expect(two.link.isDegraded).toBe(true);

    two.takeTold();
    await clock.advance(3_000);
    expect(two.takeTold()).toEqual(Array<string>(3).fill('recheck all control: silence'));

    two.link.forget(one.boot);
    await clock.advance(3_000);
    expect(two.takeTold()).toEqual([]);
    expect(two.link.isDegraded).toBe(false);
    expect(faulty.losses).toBe(0);
  });

  test('that is silent for a while comes back', async () => {
    const { two, faulty } = await startTwo();
    faulty.faults = LOST;
    await clock.advance(1_500);
    faulty.faults = null;
    await clock.advance(500);

    expect(two.takeTold()).toEqual([
      'silent one',
      'recheck all control: silence',
      'recheck all control: back',
      'back one',
    ]);
    expect(two.link.isDegraded).toBe(false);
  });

  test('that leaves is not taken for dead, and its last frames are compared', async () => {
    const { one, two, faulty } = await startTwo();
    faulty.faults = LOST;
    one.link.announce([change(1)]);
    await clock.advance(0);
    faulty.faults = null;
    await one.link.leave();
    await clock.advance(3_000);

    expect(two.takeTold()).toEqual([`${HERE}: beat`, 'left one']);
    expect(two.link.listPeers()).toEqual([]);
  });

  test('that stood still does not take the others for dead', async () => {
    const { two } = await startTwo();
    await clock.stall(5_000);
    await clock.advance(900);

    expect(two.takeTold().filter((what) => what.startsWith('silent'))).toEqual([]);
  });

  test('whose beats are of an unknown format is alive, and all logs are compared', async () => {
    const { one, two } = await startTwo();
    const newer = new Envelopes(CLUSTER.id, CLUSTER.key, 'AAAAAAAAAAAAAAAAAAAAAA');
    for (let beat = 1; beat <= 12; beat++) {
      one.bus.publish('hb', newer.seal('hb', beat, '?', 2));
      await clock.advance(250);
    }
    const told = two.takeTold();

    expect(told[0]).toBe('found unknown');
    expect(told.slice(1).every((what) => what === 'recheck all control: format')).toBe(true);
    expect(told.length).toBeGreaterThanOrEqual(3);
    expect(two.link.isDegraded).toBe(true);
  });
});

describe('a bus that is away', () => {
  test('makes a node compare all logs each second, and once more when it is back', async () => {
    const { one, two } = await startTwo();
    hub.cut();
    await clock.advance(2_500);
    one.link.announce([change(1)]);
    one.link.sendControl({ to: 'all', type: 'x', data: null });
    await clock.advance(0);
    expect(two.takeTold()).toEqual([
      'bus away',
      ...Array<string>(3).fill('recheck all control: away'),
    ]);
    expect(two.link.isDegraded).toBe(true);
    expect(one.link.counters.dropped).toBe(2);

    hub.repair();
    await clock.advance(3_000);
    const told = two.takeTold().filter((what) => !what.endsWith('away'));
    expect(told.slice(0, 2)).toEqual(['bus connected', 'recheck all control: reconnected']);
    expect(told.filter((what) => what.startsWith('silent'))).toEqual([]);
    expect(two.link.isDegraded).toBe(false);
  });

  test('is noticed within 1.5 s if it swallows everything', async () => {
    const { two } = await startTwo();
    hub.mute();
    await clock.advance(1_500);

    expect(two.takeTold()).toContain('bus away');
  });

  test('at the start makes nothing fail', async () => {
    hub.cut();
    const { node } = start('one');
    await clock.advance(1_500);
    node.link.announce([change(1)]);
    expect(node.takeTold()).toContain('recheck all control: away');

    hub.repair();
    await clock.advance(1_500);
    expect(node.takeTold()).toContain('bus connected');
  });
});
