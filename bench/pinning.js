import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

export const SERVER_CORE = 0;
export const GENERATOR_CORE = 1;

/** Reason why processes cannot be pinned to cores; null if they can. */
export const pinningObstacle = findObstacle();

/**
 * Returns the command line that runs Node.js on one core.
 *
 * @param {number} core
 * @param {string[]} args
 * @returns {[string, string[]]}
 */
export function nodeOnCore(core, args) {
  if (pinningObstacle !== null) return [process.execPath, args];
  return ['taskset', ['-c', String(core), process.execPath, ...args]];
}

function findObstacle() {
  if (availableParallelism() < 2) return 'the machine has only one core';
  for (const core of [SERVER_CORE, GENERATOR_CORE]) {
    const { error, status } = spawnSync('taskset', ['-c', String(core), 'true']);
    if (error !== undefined) return 'taskset is not installed';
    if (status !== 0) return `core ${core} is not available to this process`;
  }
  return null;
}
