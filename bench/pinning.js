import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

export const SERVER_CORE = 0;
export const GENERATOR_CORE = 1;

/** Why processes cannot be pinned to cores here; null if they can. */
export const whyNotPinned = findObstacle();

/**
 * Gives the command line that runs Node on one core.
 *
 * @param {number} core
 * @param {string[]} args
 * @returns {[string, string[]]}
 */
export function nodeOnCore(core, args) {
  if (whyNotPinned !== null) return [process.execPath, args];
  return ['taskset', ['-c', String(core), process.execPath, ...args]];
}

function findObstacle() {
  if (availableParallelism() < 2) return 'there is only one core';
  for (const core of [SERVER_CORE, GENERATOR_CORE]) {
    const { error, status } = spawnSync('taskset', ['-c', String(core), 'true']);
    if (error !== undefined) return 'there is no taskset';
    if (status !== 0) return `core ${core} may not be used`;
  }
  return null;
}
