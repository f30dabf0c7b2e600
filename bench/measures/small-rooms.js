import { assertSound, describeLoad, isBoundByGenerator } from './scene.js';
import { Session } from './session.js';

const CROWD = { rooms: 200, membersPerRoom: 5, sendersPerRoom: 1 };
const CPU_RATE = 2_000;
const MIN_ACHIEVED = 0.95;
const DRAIN_MS = 5_000;

/**
 * 200 rooms of 5 members.
 *
 * @type {import('./scene.js').Scene}
 */
export async function measureSmallRooms(target, wanted, timing) {
  const session = await Session.start(target);
  /** @type {Record<string, import('./scene.js').Reading>} */
  const readings = {};
  try {
    await session.open(CROWD);
    // At first in any case, since what follows is measured on a server that is warm.
    const rate = await measureRate(session, timing);
    if (wanted.has('rate')) readings.rate = rate;
    if (wanted.has('cpu') || wanted.has('p99')) {
      const { cpu, p99 } = await measureSteady(session, timing);
      if (wanted.has('cpu')) readings.cpu = cpu;
      if (wanted.has('p99')) readings.p99 = p99;
    }
  } finally {
    await session.stop();
  }
  return readings;
}

/**
 * @param {Session} session
 * @param {import('./scene.js').Timing} timing
 */
async function measureSteady(session, { leadMs, windowMs }) {
  const trial = await session.trial({ rate: CPU_RATE, leadMs, windowMs, drainMs: DRAIN_MS });
  assertSound(trial, `${session.target.title}, ${CPU_RATE} messages/s into small rooms`);
  const value = (trial.serverCpuMs * 1000) / trial.messages;
  // A server that cannot hold the rate works on backlogs, which is cheaper by the message.
  const held = trial.sendRate >= MIN_ACHIEVED * CPU_RATE;
  const rate = held ? '' : `only ${trial.sendRate.toFixed(0)} messages/s held, `;
  const note = `${rate}${describeLoad(trial)}`;
  return { cpu: { value, note }, p99: { value: trial.p99, note } };
}

/**
 * @param {Session} session
 * @param {import('./scene.js').Timing} timing
 */
async function measureRate(session, { warmupMs, windowMs }) {
  const plan = { rate: null, leadMs: warmupMs, windowMs, drainMs: DRAIN_MS };
  const trial = await session.trial(plan);
  assertSound(trial, `${session.target.title}, small rooms saturated`);
  return {
    value: (trial.messages * 1000) / trial.windowMs,
    atLeast: isBoundByGenerator(trial),
    note: describeLoad(trial),
  };
}
