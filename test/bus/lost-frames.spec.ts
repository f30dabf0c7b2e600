import { Logger } from '@nestjs/common';

import { partitionOf } from '#src/bus/subjects.js';
import { PinoLogger } from '#src/server/logger.js';

import { CLUSTER } from '../support/cluster-node.js';
import { change, FaultyNodes, LOG, LOST } from '../support/faulty-nodes.js';
import type { ManualClock } from '../support/manual-clock.js';

const PARTITION = partitionOf(LOG, CLUSTER.partitions);
const HERE = `recheck ${String(PARTITION)}`;

let clock: ManualClock;
let start: FaultyNodes['start'];
let startTwo: FaultyNodes['startTwo'];
let nodes: FaultyNodes;

beforeAll(() => void Logger.overrideLogger(new PinoLogger('silent')));
afterAll(() => void Logger.overrideLogger(new PinoLogger('fatal')));

beforeEach(() => {
  nodes = new FaultyNodes();
  ({ clock, start, startTwo } = nodes);
});

afterEach(() => nodes.leave());

describe('a lost frame', () => {
  test('is noticed at the next one', async () => {
    const { one, two, faulty } = await startTwo();
    faulty.faults = LOST;
    one.link.announce([change(1)]);
    await clock.advance(0);
    faulty.faults = null;
    one.link.announce([change(2)]);
    await clock.advance(0);

    expect(two.takeTold()).toEqual([`${HERE}: gap`]);
    await clock.advance(2_000);
    expect(two.takeTold()).toEqual([]);
  });

  test('is noticed within 0.5 s if it is the last one', async () => {
    const { one, two, faulty } = await startTwo();
    for (let head = 1; head <= 40; head++) {
      // Frames between two beats are lost at each time relative to a beat.
      await clock.advance(37);
      const sentAt = clock.now();
      faulty.faults = LOST;
      one.link.announce([change(head)]);
      one.link.sendControl({ to: 'all', type: 'x', data: null });
      await clock.advance(0);
      faulty.faults = null;
      await clock.advance(500);

      expect(two.told.map(({ what }) => what)).toEqual([`${HERE}: beat`, 'recheck  control: beat']);
      expect((two.told[0]?.at ?? Infinity) - sentAt).toBeLessThan(400);
      two.takeTold();
    }
  });

  test('is noticed if the beat after it is lost, too', async () => {
    const { one, two, faulty } = await startTwo();
    faulty.faults = LOST;
    one.link.announce([change(1)]);
    await clock.advance(300);
    faulty.faults = null;
    await clock.advance(600);

    expect(two.takeTold()).toEqual([`${HERE}: beat`]);
  });

  test('is noticed if it is the first one that a new node misses', async () => {
    const { one } = await startTwo();
    one.link.announce([change(1)]);
    const { node, faulty } = start('three');
    await clock.advance(0);
    faulty.faults = LOST;
    one.link.announce([change(2)]);
    await clock.advance(0);
    faulty.faults = null;
    await clock.advance(500);

    expect(node.takeTold()).toContain(`${HERE}: joined`);
  });

  test('is noticed if it was sent just after the first beat that a new node hears', async () => {
    const { one } = await startTwo();
    const { node, faulty } = start('three');
    await clock.advance(260);
    node.takeTold();
    faulty.faults = LOST;
    one.link.announce([change(1)]);
    await clock.advance(0);
    faulty.faults = null;
    one.link.announce([change(2)]);
    await clock.advance(500);

    expect(node.takeTold()).toContain(`${HERE}: joined`);
  });

  test('of an ephemeral costs nothing', async () => {
    const { one, two, faulty } = await startTwo();
    const ephemeral = { room: LOG, epoch: 'e', head: 1, type: 'typing', data: null };
    faulty.faults = LOST;
    one.link.sendEphemeral(ephemeral);
    await clock.advance(0);
    faulty.faults = null;
    one.link.sendEphemeral(ephemeral);
    await clock.advance(2_000);

    expect(two.ephemerals).toEqual([ephemeral]);
    expect(two.takeTold()).toEqual([]);
  });
});
