/**
 * What was read off once, with what is needed to judge it.
 *
 * @typedef {object} Reading
 * @property {number} value
 * @property {boolean} [atLeast] the load generator was the limit, not the server
 * @property {string} note
 *
 * @typedef {object} Timing
 * @property {number} warmupMs of a new server, at full load
 * @property {number} leadMs at the start of each trial that is not measured
 * @property {number} windowMs
 * @property {number} trialMs of one step of a search for the highest rate
 * @property {number} steps of such a search at most
 * @property {number} precision ratio of two rates at which such a search ends
 * @property {number} tries of a rate before it counts as not held
 * @property {number} idleConnections
 * @property {number} settleMs
 *
 * @typedef {(target: import('../targets.js').Target, wanted: Set<string>, timing: Timing) =>
 *   Promise<Record<string, Reading>>} Scene
 */

/** @type {Timing} */
export const THOROUGH = {
  warmupMs: 3_000,
  leadMs: 500,
  windowMs: 5_000,
  trialMs: 3_000,
  steps: 10,
  precision: 1.06,
  tries: 2,
  idleConnections: 2_000,
  settleMs: 3_000,
};

/** @type {Timing} */
export const QUICK = {
  warmupMs: 800,
  leadMs: 100,
  windowMs: 700,
  trialMs: 700,
  steps: 2,
  precision: 1.15,
  tries: 1,
  idleConnections: 500,
  settleMs: 500,
};

const SATURATED = 0.9;

/**
 * Whether the load generator was at its limit and the server was not.
 *
 * @param {import('../load/trial.js').TrialResult} trial
 */
export function isBoundByGenerator({ generatorShare, serverShare }) {
  return generatorShare >= SATURATED && serverShare < SATURATED;
}

/** @param {import('../load/trial.js').TrialResult} trial */
export function describeLoad({ p99, serverShare, generatorShare }) {
  const [server, generator] = [serverShare, generatorShare].map((one) => Math.round(one * 100));
  return `p99 ${p99.toFixed(0)} ms, server ${server} %, generator ${generator} % of a core`;
}

/**
 * Whether every message was acknowledged and reached everybody.
 *
 * @param {import('../load/trial.js').TrialResult} trial
 */
export function isSound({ complete, refused, lost }) {
  return complete && refused === 0 && lost === 0;
}

/**
 * @param {import('../load/trial.js').TrialResult} trial
 * @param {string} during
 */
export function assertSound(trial, during) {
  if (isSound(trial)) return;
  throw new Error(
    `${during}: not every message was acknowledged and delivered ` +
      `(${trial.refused} refused, ${trial.lost} connections lost; ` +
      `the server said: ${trial.complaint})`,
  );
}
