import { findHighestRate } from './highest-rate.js';
import { assertValid, describeLoad, isBoundByGenerator, isValid } from './scene.js';
import { Session } from './session.js';

const CROWD = { rooms: 1, membersPerRoom: 1_000, sendersPerRoom: 100 };
const CPU_RATE = 40;
const MAX_P99_MS = 100;
const MIN_ACHIEVED = 0.95;
const NEAR_LIMIT = 0.9;
// Enough to saturate a server, and few enough to drain quickly.
const WARMUP_IN_FLIGHT = 20;
const DRAIN_MS = 5_000;

/**
 * Measures one room of 1,000 members.
 *
 * @type {import('./scene.js').Scene}
 */
export async function measureRoom1000(target, wanted, timing) {
  const room = new Room1000(target, timing);
  /** @type {Record<string, import('./scene.js').Reading>} */
  const readings = {};
  try {
    if (wanted.has('cpu')) readings.cpu = await room.measureCpu();
    if (wanted.has('rate')) readings.rate = await room.measureRate();
  } finally {
    await room.leave();
  }
  return readings;
}

class Room1000 {
  /** @type {Session | null} */
  #session = null;
  #estimate = 0;

  /**
   * @param {import('../targets.js').Target} target
   * @param {import('./scene.js').Timing} timing
   */
  constructor(target, timing) {
    this.target = target;
    this.timing = timing;
  }

  async measureCpu() {
    const session = this.#session ?? (await this.#start());
    const { leadMs, windowMs } = this.timing;
    const trial = await session.trial({ rate: CPU_RATE, leadMs, windowMs, drainMs: DRAIN_MS });
    assertValid(trial, `${this.target.title}, ${CPU_RATE} messages/s into one room`);
    return {
      value: (trial.serverCpuMs * 1000) / trial.deliveries,
      note: describeLoad(trial),
    };
  }

  async measureRate() {
    if (this.#session === null) await this.#start();
    const { steps, precision } = this.timing;
    const attempt = (/** @type {number} */ rate) => this.#attempt(rate);
    return toReading(await findHighestRate({ start: this.#estimate, steps, precision, attempt }));
  }

  async leave() {
    await this.#session?.stop();
    this.#session = null;
  }

  /** Starts a server, warms it up at full load, and estimates its highest rate. */
  async #start() {
    const { trial, session } = await this.#warmUp(null);
    this.#estimate = (NEAR_LIMIT * trial.messages * 1000) / trial.windowMs;
    if (isValid(trial)) return session;
    await this.leave();
    const second = await this.#warmUp(this.#estimate / 2);
    assertValid(second.trial, `${this.target.title}, warming up`);
    return second.session;
  }

  /** @param {number | null} rate */
  async #warmUp(rate) {
    const session = (this.#session = await Session.start(this.target));
    await session.open(CROWD);
    const half = this.timing.warmupMs / 2;
    const trial = await session.trial({
      rate,
      inFlight: WARMUP_IN_FLIGHT,
      leadMs: half,
      windowMs: half,
      drainMs: DRAIN_MS,
    });
    return { session, trial };
  }

  /** @param {number} rate */
  async #attempt(rate) {
    let trial = await this.#try(rate);
    for (let i = 1; i < this.timing.tries && !isHeld(trial, rate); i++) {
      trial = await this.#try(rate);
    }
    return { held: isHeld(trial, rate), trial };
  }

  /** @param {number} rate */
  async #try(rate) {
    const session = this.#session ?? (await this.#start());
    const { leadMs, trialMs } = this.timing;
    const trial = await session.trial({ rate, leadMs, windowMs: trialMs, drainMs: DRAIN_MS });
    // Late deliveries would count in the next trial.
    if (!trial.complete || trial.lost > 0) await this.leave();
    return trial;
  }
}

/**
 * @param {import('../load/trial.js').TrialResult} trial
 * @param {number} rate
 */
function isHeld(trial, rate) {
  return isValid(trial) && trial.p99 < MAX_P99_MS && trial.sendRate >= MIN_ACHIEVED * rate;
}

/**
 * @param {Awaited<ReturnType<typeof findHighestRate<import('../load/trial.js').TrialResult>>>}
 *   found
 */
function toReading({ best, failed }) {
  const bound =
    failed === null
      ? 'no rate failed'
      : `${failed.rate}/s failed: ${describeFailure(failed.trial)}`;
  if (best === null) return { value: 0, note: bound };
  return {
    value: best.rate,
    atLeast: failed === null || isBoundByGenerator(failed.trial),
    note: `${describeLoad(best.trial)}; ${bound}`,
  };
}

/** @param {import('../load/trial.js').TrialResult} trial */
function describeFailure(trial) {
  const lost = trial.lost > 0 ? `${trial.lost} connections lost (${trial.firstError}), ` : '';
  const missing = trial.complete ? '' : 'deliveries missing, ';
  return `${lost}${missing}sent ${trial.sendRate.toFixed(0)}/s, ${describeLoad(trial)}`;
}
