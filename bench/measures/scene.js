/**
 * One measured value.
 *
 * @typedef {object} Reading
 * @property {number} value
 * @property {boolean} [atLeast] whether the load generator was the limit, not the server
 * @property {string} note load of both processes, to judge the value
 *
 * @typedef {object} Timing
 * @property {number} warmupMs time at full load after the start of a server
 * @property {number} leadMs unmeasured time at the start of each trial
 * @property {number} windowMs measured time of a trial at a fixed rate
 * @property {number} trialMs measured time of a step in the search for the highest rate
 * @property {number} steps maximum number of steps of that search
 * @property {number} precision ratio of two rates at which that search ends
 * @property {number} tries attempts at a rate before it counts as not held
 * @property {number} attackMs duration of each attack
 * @property {number} idleConnections
 * @property {number} settleMs time before memory is read
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
  attackMs: 3_000,
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
  attackMs: 300,
  idleConnections: 500,
  settleMs: 500,
};

const SATURATED = 0.9;

/**
 * Returns whether the load generator was at its limit and the server was not. PostgreSQL and the link
 * to it use the core of the load generator, too.
 *
 * @param {import('../load/trial.js').TrialResult} trial
 */
export function isBoundByGenerator({ generatorShare, serverShare, database, linkShare }) {
  const core = generatorShare + (database?.share ?? 0) + linkShare;
  return core >= SATURATED && serverShare < SATURATED;
}

/** @param {import('../load/trial.js').TrialResult} trial */
export function describeLoad({ p99, serverShare, generatorShare, database, linkShare }) {
  const shares = [`server ${percent(serverShare)}`, `generator ${percent(generatorShare)}`];
  if (database !== null) {
    shares.push(`PostgreSQL ${percent(database.share)}${database.pinned ? '' : ' (not pinned)'}`);
  }
  if (linkShare > 0) shares.push(`link ${percent(linkShare)}`);
  const latency = Number.isFinite(p99) ? `p99 ${p99.toFixed(0)} ms` : 'no latency sampled';
  return `${latency}, ${shares.join(', ')} of a core`;
}

/** @param {number} share */
function percent(share) {
  return `${Math.round(share * 100)} %`;
}

/**
 * Returns whether every message was acknowledged and reached every member.
 *
 * @param {import('../load/trial.js').TrialResult} trial
 */
export function isValid({ complete, refused, lost }) {
  return complete && refused === 0 && lost === 0;
}

/**
 * @param {import('../load/trial.js').TrialResult} trial
 * @param {string} during
 */
export function assertValid(trial, during) {
  if (isValid(trial)) return;
  throw new Error(
    `${during}: not every message was acknowledged and delivered ` +
      `(${trial.refused} refused, ${trial.lost} connections lost; ` +
      `first error of the server: ${trial.firstError})`,
  );
}
