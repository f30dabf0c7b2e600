import type { AlarmEvent, BotEvent } from '#src/bots/runtime/bot-event.js';
import { RemoteLane } from '#src/bots/remote/remote-lane.js';
import type { LogEvent } from '#src/protocol/events.js';

import { Gate } from '../support/gate.js';

const ROOM = 'far';
const ALARM: AlarmEvent = {
  event: 'alarm.due',
  data: { room: ROOM, seq: 0, key: 'tea', at: 1, value: null },
};

function event(seq: number, at = seq): LogEvent {
  const user = { id: 'u', name: 'ann', kind: 'guest' as const };
  return { event: 'user.updated', data: { room: ROOM, seq, at, user } };
}

/** A lane whose events are dealt with when a test says so. */
class Bench {
  readonly dealt: number[] = [];
  readonly acknowledged: number[] = [];
  readonly gates = new Map<number, Gate>();
  isEnding = false;
  acknowledging = new Gate();
  readonly lane = new RemoteLane({
    deal: async ({ data: { seq } }: BotEvent) => {
      this.dealt.push(seq);
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

  /** Has the bot wait at an event. */
  hold(seq: number): Gate {
    const gate = new Gate();
    this.gates.set(seq, gate);
    return gate;
  }

  push(...events: readonly LogEvent[]): void {
    for (const one of events) this.lane.push(one);
  }
}

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});

test('a lane deals with one event after another', async () => {
  const gate = bench.hold(3);
  bench.push(event(3), event(7));
  await gate.reached;
  expect([bench.dealt, bench.lane.isBusy]).toEqual([[3], true]);
  gate.release();
  await bench.lane.settled();

  expect([bench.dealt, bench.acknowledged, bench.lane.isBusy]).toEqual([[3, 7], [3, 7], false]);
});

test('a lane sends one acknowledgement at a time, and then the latest', async () => {
  bench.acknowledging = new Gate();
  bench.push(event(1), event(2), event(3));
  await bench.acknowledging.reached;
  // What is dealt with is dealt with in this turn.
  await new Promise((resolve) => setImmediate(resolve));
  expect([bench.dealt, bench.acknowledged]).toEqual([[1, 2, 3], [1]]);
  bench.acknowledging.release();
  await bench.lane.settled();

  expect(bench.acknowledged).toEqual([1, 3]);
});

test('a lane begins nothing twice that is delivered again, and acknowledges it', async () => {
  const gate = bench.hold(2);
  bench.push(event(1), event(2), event(3), event(4));
  await gate.reached;
  bench.lane.sessionOpened();
  bench.push(event(1), event(2), event(3), event(4), event(5));
  gate.release();
  await bench.lane.settled();

  expect(bench.dealt).toEqual([1, 2, 3, 4, 5]);
  expect(bench.acknowledged.at(-1)).toBe(5);
  bench.push(event(4));
  await bench.lane.settled();
  expect(bench.acknowledged.at(-1)).toBe(5);
  expect(bench.dealt).toHaveLength(5);
});

test('a lane takes what comes twice in a session once', async () => {
  const gate = bench.hold(1);
  bench.push(event(1), event(2), event(2), event(1), event(3));
  await gate.reached;
  gate.release();
  await bench.lane.settled();

  expect(bench.dealt).toEqual([1, 2, 3]);
});

test('a lane begins anew with a log that was made anew', async () => {
  bench.push(event(8, 100), event(9, 110));
  await bench.lane.settled();
  bench.lane.sessionOpened();
  bench.push(event(3, 200), event(4, 210));
  await bench.lane.settled();

  expect(bench.dealt).toEqual([8, 9, 3, 4]);
  expect(bench.acknowledged.at(-1)).toBe(4);
});

test('a lane keeps alarms that wait, and acknowledges none', async () => {
  const gate = bench.hold(1);
  bench.push(event(1), event(2));
  bench.lane.ring(ALARM);
  await gate.reached;
  bench.lane.sessionOpened();
  gate.release();
  await bench.lane.settled();

  expect([bench.dealt, bench.acknowledged]).toEqual([[1, 0], [1]]);
});

test('a lane acknowledges nothing that could not be dealt with', async () => {
  const gate = bench.hold(2);
  bench.push(event(1), event(2), event(3));
  await gate.reached;
  bench.isEnding = true;
  gate.release();
  await bench.lane.settled();
  bench.push(event(4));
  bench.lane.ring(ALARM);

  expect([bench.dealt, bench.acknowledged]).toEqual([[1, 2], [1]]);
});
