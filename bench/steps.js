import { UNITS } from './goals.js';
import { measureIdle } from './measures/idle-memory.js';
import { measureRoom1000 } from './measures/room-1000.js';
import { measureSmallRooms } from './measures/small-rooms.js';
import { show } from './report.js';
import { TARGETS } from './targets.js';

/** @type {Record<string, import('./measures/scene.js').Scene>} */
const SCENES = {
  room1000: measureRoom1000,
  smallRooms: measureSmallRooms,
  idle: measureIdle,
};

/**
 * One server in one scene, with all that is to be read there.
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
      const target = TARGETS.get(name);
      if (target === undefined || !targets.has(name)) continue;
      const key = `${scene} ${name}`;
      const step = steps.get(key) ?? { scene, target, wanted: new Set() };
      steps.set(key, step);
      step.wanted.add(reading);
    }
  }
  return [...steps.values()];
}

/**
 * Takes every step once, server after server, so that a slow minute of the machine hits all.
 *
 * @param {Step[]} steps
 * @param {import('./measures/scene.js').Timing} timing
 * @param {import('./results.js').Results} results
 * @param {string} label
 */
export async function takeSteps(steps, timing, results, label) {
  let failures = 0;
  const take = async (/** @type {Step} */ step) => {
    try {
      await takeStep(step, timing, results, label);
    } catch (error) {
      failures++;
      const why = error instanceof Error ? error.message : String(error);
      console.error(`${label} ${step.scene}  FAILED, ${step.target.title}: ${why}`);
    }
  };
  for (const step of steps.filter(({ scene }) => scene !== 'idle')) await take(step);
  // Memory does not depend on who else uses the core, so these share it.
  await Promise.all(steps.filter(({ scene }) => scene === 'idle').map(take));
  return failures;
}

/**
 * @param {Step} step
 * @param {import('./measures/scene.js').Timing} timing
 * @param {import('./results.js').Results} results
 * @param {string} label
 */
async function takeStep({ scene, target, wanted }, timing, results, label) {
  const readings = await SCENES[scene](target, wanted, timing);
  for (const [reading, taken] of Object.entries(readings)) {
    const full = `${scene}.${reading}`;
    results.add(full, target.name, taken);
    const value = `${taken.atLeast ? '≥ ' : ''}${show(taken.value)}`;
    const unit = UNITS[/** @type {keyof typeof UNITS} */ (full)];
    console.log(`${label} ${full}  ${target.title}: ${value} ${unit}  (${taken.note})`);
  }
}
