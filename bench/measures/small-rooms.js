import { assertValid, describeLoad, isBoundByGenerator } from './scene.js';
import { Session } from './session.js';

const CROWD = { rooms: 200, membersPerRoom: 5, sendersPerRoom: 1 };
const CPU_RATE = 2_000;
const MIN_ACHIEVED = 0.95;
const DRAIN_MS = 5_000;

/**
 * Measures 200 rooms of 5 members.
 *
 * @type {import('./scene.js').Scene}
 */
export async function measureSmallRooms(target, wanted, timing) {
  const session = await Session.start(target);
  /** @type {Record<string, import('./scene.js').Reading>} */
  const readings = {};
  try {
    await session.open(CROWD);
    // Always first, because it also warms the server up.
    const rate = await measureRate(session, timing);
    if (wanted.has('rate')) readings.rate = rate;
    if (['cpu', 'p99', 'databaseCpu'].some((reading) => wanted.has(reading))) {
      const steady = Object.entries(await measureSteady(session, timing));
      for (const [name, reading] of steady) if (wanted.has(name)) readings[name] = reading;
    }
  } finally {
    await session.stop();
  }
  return readings;
}

/**
 * @param {Session} session
 * @param {import('./scene.js').Timing} timing
 * @returns {Promise<Record<string, import('./scene.js').Reading>>}
 */
async function measureSteady(session, { leadMs, windowMs }) {
  const trial = await session.trial({ rate: CPU_RATE, leadMs, windowMs, drainMs: DRAIN_MS });
  assertValid(trial, `${session.target.title}, ${CPU_RATE} messages/s into small rooms`);
  const value = (trial.serverCpuMs * 1000) / trial.messages;
  // A server that cannot hold the rate works through a backlog, which costs less per message.
  const held = trial.sendRate >= MIN_ACHIEVED * CPU_RATE;
  const rate = held ? '' : `only ${trial.sendRate.toFixed(0)} messages/s held, `;
  const note = `${rate}${describeLoad(trial)}`;
  const readings = { cpu: { value, note }, p99: { value: trial.p99, note } };
  if (trial.database === null) return readings;
  return {
    ...readings,
    databaseCpu: { value: (trial.database.cpuMs * 1000) / trial.messages, note },
  };
}

/**
 * @param {Session} session
 * @param {import('./scene.js').Timing} timing
 */
async function measureRate(session, { warmupMs, windowMs }) {
  const plan = { rate: null, leadMs: warmupMs, windowMs, drainMs: DRAIN_MS };
  const trial = await session.trial(plan);
  assertValid(trial, `${session.target.title}, small rooms saturated`);
  return {
    value: (trial.messages * 1000) / trial.windowMs,
    atLeast: isBoundByGenerator(trial),
    note: describeLoad(trial),
  };
}
