import type { AlarmEvent, BotEvent } from '#src/bots/kit/bot-event.js';
import { StandaloneLane } from '#src/bots/standalone/standalone-lane.js';
import type { LogEvent } from '#src/protocol/events.js';

import { Gate } from '../support/gate.js';

const ROOM = 'hall';
const ALARM: AlarmEvent = {
  event: 'alarm.due',
  data: { room: ROOM, seq: 0, key: 'tea', at: 1, value: null },
};

function event(seq: number, at = seq): LogEvent {
  const user = { id: 'u', name: 'ann', kind: 'guest' as const };
  return { event: 'user.updated', data: { room: ROOM, seq, at, user } };
}

/** A lane whose handlers finish when the test releases them. */
class LaneBench {
  readonly handled: number[] = [];
  readonly acknowledged: number[] = [];
  readonly gates = new Map<number, Gate>();
  isEnding = false;
  acknowledging = new Gate();
  readonly lane = new StandaloneLane({
    handle: async ({ data: { seq } }: BotEvent) => {
      this.handled.push(seq);
      await this.gates.get(seq)?.pass();
      return !this.isEnding;
    },
    acknowledge: async (seq) => {
      this.acknowledged.push(seq);
      await this.acknowledging.pass();
    },
  });

  constructor() {
    this.acknowledging.release();
  }

  /** Blocks the handling of an event until the gate is released. */
  hold(seq: number): Gate {
    const gate = new Gate();
    this.gates.set(seq, gate);
    return gate;
  }

  push(...events: readonly LogEvent[]): void {
    for (const one of events) this.lane.push(one);
  }
}

let bench: LaneBench;
beforeEach(() => {
  bench = new LaneBench();
});

test('a lane handles one event after another', async () => {
  const gate = bench.hold(3);
  bench.push(event(3), event(7));
  await gate.reached;
  expect({ handled: bench.handled, isBusy: bench.lane.isBusy }).toEqual({
    handled: [3],
    isBusy: true,
  });
  gate.release();
  await bench.lane.settled();

  expect(bench).toMatchObject({ handled: [3, 7], acknowledged: [3, 7] });
  expect(bench.lane.isBusy).toBe(false);
});

test('a lane sends one acknowledgement at a time, then the latest', async () => {
  bench.acknowledging = new Gate();
  bench.push(event(1), event(2), event(3));
  await bench.acknowledging.reached;
  // Events without a gate are handled in this turn.
  await new Promise((resolve) => setImmediate(resolve));
  expect(bench).toMatchObject({ handled: [1, 2, 3], acknowledged: [1] });
  bench.acknowledging.release();
  await bench.lane.settled();

  expect(bench.acknowledged).toEqual([1, 3]);
});

test('a lane handles an event once that is delivered again, and acknowledges it', async () => {
  const gate = bench.hold(2);
  bench.push(event(1), event(2), event(3), event(4));
  await gate.reached;
  bench.lane.sessionOpened();
  bench.push(event(1), event(2), event(3), event(4), event(5));
  gate.release();
  await bench.lane.settled();

  expect(bench.handled).toEqual([1, 2, 3, 4, 5]);
  expect(bench.acknowledged.at(-1)).toBe(5);
  bench.push(event(4));
  await bench.lane.settled();
  expect(bench.acknowledged.at(-1)).toBe(5);
  expect(bench.handled).toHaveLength(5);
});

test('a lane handles an event once that is delivered twice in a session', async () => {
  const gate = bench.hold(1);
  bench.push(event(1), event(2), event(2), event(1), event(3));
  await gate.reached;
  gate.release();
  await bench.lane.settled();

  expect(bench.handled).toEqual([1, 2, 3]);
});

test('a lane starts over with a recreated log', async () => {
  bench.push(event(8, 100), event(9, 110));
  await bench.lane.settled();
  bench.lane.sessionOpened();
  bench.push(event(3, 200), event(4, 210));
  await bench.lane.settled();

  expect(bench.handled).toEqual([8, 9, 3, 4]);
  expect(bench.acknowledged.at(-1)).toBe(4);
});

test('a lane keeps waiting alarms, and does not acknowledge alarms', async () => {
  const gate = bench.hold(1);
  bench.push(event(1), event(2));
  bench.lane.pushAlarm(ALARM);
  await gate.reached;
  bench.lane.sessionOpened();
  gate.release();
  await bench.lane.settled();

  expect(bench).toMatchObject({ handled: [1, 0], acknowledged: [1] });
});

test('a lane does not acknowledge an event that could not be handled', async () => {
  const gate = bench.hold(2);
  bench.push(event(1), event(2), event(3));
  await gate.reached;
  bench.isEnding = true;
  gate.release();
  await bench.lane.settled();
  bench.push(event(4));
  bench.lane.pushAlarm(ALARM);

  expect(bench).toMatchObject({ handled: [1, 2], acknowledged: [1] });
});
