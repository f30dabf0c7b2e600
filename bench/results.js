import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, release } from 'node:os';

import { UNITS } from './goals.js';
import { pinningObstacle } from './pinning.js';

const PEER_PACKAGES = ['ws', 'socket.io', '@nestjs/core', '@nestjs/websockets', 'typeorm'];

/**
 * All runs of one measured value of one server.
 *
 * @typedef {object} Series
 * @property {string} reading such as `room1000.cpu`
 * @property {string} target
 * @property {string} unit
 * @property {import('./measures/scene.js').Reading[]} runs
 * @property {number} median
 * @property {boolean} atLeast
 */

/** All values of one bench run. */
export class Results {
  /** @type {Map<string, Series>} */
  #series = new Map();

  /**
   * @param {string} reading
   * @param {string} target
   * @param {import('./measures/scene.js').Reading} run
   */
  add(reading, target, run) {
    const key = `${reading} ${target}`;
    const runs = [...(this.#series.get(key)?.runs ?? []), run];
    this.#series.set(key, {
      reading,
      target,
      unit: UNITS[/** @type {keyof typeof UNITS} */ (reading)],
      runs,
      median: median(runs.map(({ value }) => value)),
      atLeast: runs.some(({ atLeast }) => atLeast === true),
    });
  }

  get series() {
    return [...this.#series.values()];
  }

  /** @param {import('./goals.js').Comparison} comparison */
  compare(comparison) {
    const reading = `${comparison.scene}.${comparison.reading}`;
    const ours = this.#series.get(`${reading} ${comparison.ours}`);
    const peer = this.#series.get(`${reading} ${comparison.peer}`);
    const isAlone = comparison.peer === undefined;
    const ratio = ours && (isAlone ? ours.median : peer && ours.median / peer.median);
    const met = isMet(comparison.goal, ratio);
    const isOpen = comparison.decider !== undefined && isUndecided(met, ours, peer);
    return { ...comparison, ours, peer, ratio: ratio ?? null, met: isOpen ? null : met, isOpen };
  }
}

/** Describes the machine and the versions of the compared packages. */
export function describeMachine() {
  const [cpu] = cpus();
  return {
    cpu: cpu?.model.trim() ?? 'unknown',
    cores: cpus().length,
    kernel: `${process.platform} ${release()}`,
    node: process.version,
    pinned: pinningObstacle === null,
    revision: findRevision(),
    packages: Object.fromEntries(PEER_PACKAGES.map((name) => [name, readVersion(name)])),
  };
}

/**
 * @param {import('./goals.js').Comparison['goal']} goal
 * @param {number | undefined} ratio
 */
function isMet(goal, ratio) {
  if (goal === null || ratio === undefined) return null;
  return 'atMost' in goal ? ratio <= goal.atMost : ratio >= goal.atLeast;
}

/**
 * Returns whether a server whose rate the load generator limited might change the verdict.
 *
 * @param {boolean | null} met whether ours reaches at least a share of the peer
 * @param {Series | undefined} ours
 * @param {Series | undefined} peer
 */
function isUndecided(met, ours, peer) {
  if (met === null) return false;
  return met ? peer?.atLeast === true : ours?.atLeast === true;
}

/** @param {number[]} values */
function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * @param {string} name
 * @returns {string}
 */
function readVersion(name) {
  const manifest = new URL(`../node_modules/${name}/package.json`, import.meta.url);
  return JSON.parse(readFileSync(manifest, 'utf8')).version;
}

function findRevision() {
  try {
    const args = ['rev-parse', '--short', 'HEAD'];
    return execFileSync('git', args, { encoding: 'utf8', stdio: 'pipe' }).trim();
  } catch {
    return null;
  }
}
