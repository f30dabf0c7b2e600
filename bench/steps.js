import { UNITS } from './goals.js';
import { measureIdle } from './measures/idle-memory.js';
import { measureRoom1000 } from './measures/room-1000.js';
import { measureSiege } from './measures/siege.js';
import { measureSmallRooms } from './measures/small-rooms.js';
import { show } from './report.js';
import { postgresUrl } from './postgres/postgres-schema.js';
import { TARGETS } from './targets.js';

/** @type {Record<string, import('./measures/scene.js').Scene>} */
const SCENES = {
  room1000: measureRoom1000,
  smallRooms: measureSmallRooms,
  siege: measureSiege,
  idle: measureIdle,
};

/**
 * One server in one scene, with the readings to take.
 *
 * @typedef {object} Step
 * @property {string} scene
 * @property {import('./targets.js').Target} target
 * @property {Set<string>} wanted
 */

/**
 * @param {import('./options.js').Options} options
 * @returns {Step[]}
 */
export function planSteps({ comparisons, targets }) {
  /** @type {Map<string, Step>} */
  const steps = new Map();
  for (const { scene, reading, ours, peer } of comparisons) {
    for (const name of [ours, peer]) {
      if (name === undefined) continue;
      const target = TARGETS.get(name);
      if (target === undefined || !targets.has(name) || !isAvailable(target)) continue;
      const key = `${scene} ${name}`;
      const step = steps.get(key) ?? { scene, target, wanted: new Set() };
      steps.set(key, step);
      step.wanted.add(reading);
    }
  }
  return [...steps.values()];
}

/**
 * Returns the selected servers that cannot be measured, because they need PostgreSQL.
 *
 * @param {import('./options.js').Options} options
 */
export function findSkipped({ comparisons, targets }) {
  const names = new Set(comparisons.flatMap(({ ours, peer }) => [ours, peer]));
  return [...TARGETS.values()].filter(
    (target) => names.has(target.name) && targets.has(target.name) && !isAvailable(target),
  );
}

/** @param {import('./targets.js').Target} target */
function isAvailable(target) {
  return target.postgres === undefined || postgresUrl !== undefined;
}

/**
 * Runs every step once. One server follows the other, so that a slow phase of the machine affects
 * all of them.
 *
 * @param {Step[]} steps
 * @param {import('./measures/scene.js').Timing} timing
 * @param {import('./results.js').Results} results
 * @param {string} label
 */
export async function runSteps(steps, timing, results, label) {
  let failures = 0;
  const run = async (/** @type {Step} */ step) => {
    try {
      await runStep(step, timing, results, label);
    } catch (error) {
      failures++;
      const reason = error instanceof Error ? error.message : String(error);
      console.error(`${label} ${step.scene}  FAILED, ${step.target.title}: ${reason}`);
    }
  };
  for (const step of steps.filter(({ scene }) => scene !== 'idle')) await run(step);
  // Memory does not depend on the load of the core, so these steps run at the same time.
  await Promise.all(steps.filter(({ scene }) => scene === 'idle').map(run));
  return failures;
}

/**
 * @param {Step} step
 * @param {import('./measures/scene.js').Timing} timing
 * @param {import('./results.js').Results} results
 * @param {string} label
 */
async function runStep({ scene, target, wanted }, timing, results, label) {
  const readings = await SCENES[scene](target, wanted, timing);
  for (const [reading, result] of Object.entries(readings)) {
    const full = `${scene}.${reading}`;
    results.add(full, target.name, result);
    const value = `${result.atLeast ? '≥ ' : ''}${show(result.value)}`;
    const unit = UNITS[/** @type {keyof typeof UNITS} */ (full)];
    console.log(`${label} ${full}  ${target.title}: ${value} ${unit}  (${result.note})`);
  }
}
