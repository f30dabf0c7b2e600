import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

import { describeMachine } from './results.js';
import { TARGETS } from './targets.js';

const LATEST = fileURLToPath(new URL('results/latest.json', import.meta.url));
const HEAD = ['measure', 'ours', 'peer', 'ours', 'peer', 'ratio', 'goal', ''];

/** @typedef {ReturnType<import('./results.js').Results['compare']>} Compared */

/** @param {Compared[]} comparisons */
export function printTable(comparisons) {
  const rows = [HEAD, ...comparisons.map(toRow)];
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const line = (/** @type {string[]} */ row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]))
      .join('  ')
      .trimEnd();
  console.log(`\n${line(HEAD)}\n${widths.map((width) => '-'.repeat(width)).join('  ')}`);
  for (const row of rows.slice(1)) console.log(line(row));
}

/** @param {import('./results.js').Series[]} series */
export function printSeries(series) {
  console.log('');
  for (const { reading, target, unit, median, atLeast, runs } of series) {
    const all = runs.length > 1 ? ` (${runs.map(({ value }) => show(value)).join(', ')})` : '';
    const title = TARGETS.get(target)?.title;
    console.log(`${reading}  ${title}: ${atLeast ? '≥ ' : ''}${show(median)} ${unit}${all}`);
  }
}

/**
 * @param {import('./options.js').Options} options
 * @param {Compared[]} comparisons
 * @param {import('./results.js').Results} results
 * @param {Date} startedAt
 */
export function writeJson(options, comparisons, results, startedAt) {
  const report = {
    startedAt: startedAt.toISOString(),
    tookSeconds: Math.round((Date.now() - startedAt.getTime()) / 1000),
    quick: options.quick,
    runs: options.runs,
    timing: options.timing,
    machine: describeMachine(),
    comparisons: comparisons.map(({ ours, peer, ...rest }) => ({
      ...rest,
      ours: { target: ours?.target, median: ours?.median },
      peer: { target: peer?.target, median: peer?.median },
    })),
    series: results.series,
  };
  mkdirSync(dirname(LATEST), { recursive: true });
  writeFileSync(LATEST, `${JSON.stringify(report, null, 2)}\n`);
  console.log(`\nWritten to ${relative(process.cwd(), LATEST)}.`);
}

/**
 * @param {Compared} compared
 * @returns {string[]}
 */
function toRow({ measure, ours, peer, ratio, goal, met, isOpen, decider }) {
  if (ours === undefined) throw new Error('There is nothing to compare.');
  return [
    measure,
    String(TARGETS.get(ours.target)?.title),
    peer === undefined ? '' : String(TARGETS.get(peer.target)?.title),
    `${ours.atLeast ? '≥ ' : ''}${show(ours.median)} ${ours.unit}`,
    peer === undefined ? '' : `${peer.atLeast ? '≥ ' : ''}${show(peer.median)}`,
    peer === undefined || ratio === null ? '' : `${boundMark(ours, peer)}${ratio.toFixed(2)}`,
    goal === null ? '' : showGoal(goal),
    isOpen ? `generator at its limit: ${decider} decides` : showVerdict(met),
  ];
}

/**
 * @param {import('./results.js').Series} ours
 * @param {import('./results.js').Series} peer
 */
function boundMark(ours, peer) {
  if (ours.atLeast === peer.atLeast) return ours.atLeast ? '? ' : '';
  return ours.atLeast ? '≥ ' : '≤ ';
}

/** @param {boolean | null} met */
function showVerdict(met) {
  if (met === null) return '';
  return met ? 'met' : 'MISSED';
}

/** @param {{ atMost: number } | { atLeast: number }} goal */
function showGoal(goal) {
  return 'atMost' in goal ? `≤ ${goal.atMost.toFixed(1)}` : `≥ ${goal.atLeast.toFixed(1)}`;
}

/** @param {number} value */
export function show(value) {
  return value >= 100 ? value.toFixed(0) : value.toFixed(value >= 10 ? 1 : 2);
}
