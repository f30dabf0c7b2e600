import { parseArgs } from 'node:util';

import { COMPARISONS } from './goals.js';
import { QUICK, THOROUGH } from './measures/scene.js';
import { TARGETS } from './targets.js';

const MEASURES = [...new Set(COMPARISONS.map(({ measure }) => measure))];

export const USAGE = `Usage: node bench/run.js [options]

  --quick           one short run in less than a minute, without bots, dialects and PostgreSQL
  --runs <n>        number of runs; the median counts (default 3; 1 with --quick)
  --only <measure>  one measure; repeat for more: ${MEASURES.join(', ')}
  --target <name>   one server; repeat for more: ${[...TARGETS.keys()].join(', ')}
  --check           exit with code 1 if a goal is missed
  --help            print this text

  TEST_DATABASE_URL, or else DATABASE_URL, is the PostgreSQL for the servers that need one. Each gets
  a new schema, which is dropped afterwards. Without it, these servers are skipped.`;

/**
 * @typedef {object} Options
 * @property {boolean} quick
 * @property {boolean} check
 * @property {boolean} help
 * @property {number} runs
 * @property {import('./measures/scene.js').Timing} timing
 * @property {import('./goals.js').Comparison[]} comparisons
 * @property {Set<string>} targets
 */

/**
 * Returns whether a measure belongs in the short run; bots and dialects would make it too long.
 *
 * @param {string} measure
 */
const isOfServers = (measure) => !/^(bots|legacy)-/.test(measure);

/**
 * @param {string[]} args
 * @returns {Options}
 */
export function readOptions(args) {
  const { values } = parseArgs({
    args,
    options: {
      quick: { type: 'boolean', default: false },
      runs: { type: 'string' },
      only: { type: 'string', multiple: true },
      target: { type: 'string', multiple: true },
      check: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const { quick, check, help } = values;
  const target = values.target ?? defaultTargets(quick);
  const only = values.only ?? (quick ? MEASURES.filter(isOfServers) : MEASURES);
  refuseUnknown(only, MEASURES, 'measure');
  refuseUnknown(target, [...TARGETS.keys()], 'target');
  const runs = Number(values.runs ?? (quick ? 1 : 3));
  if (!Number.isInteger(runs) || runs < 1)
    throw new Error('--runs must be a whole number of at least 1.');
  return {
    quick,
    check,
    help,
    runs,
    timing: quick ? QUICK : THOROUGH,
    comparisons: COMPARISONS.filter(({ measure }) => only.includes(measure)),
    targets: new Set(target),
  };
}

/**
 * Returns the servers to measure if none is named; crowds take long to join on PostgreSQL.
 *
 * @param {boolean} quick
 */
function defaultTargets(quick) {
  const targets = [...TARGETS.values()].filter(({ postgres }) => !quick || postgres === undefined);
  return targets.map(({ name }) => name);
}

/**
 * @param {string[]} names
 * @param {string[]} known
 * @param {string} kind
 */
function refuseUnknown(names, known, kind) {
  const unknown = names.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new Error(`Unknown ${kind} "${unknown}". Use one of: ${known.join(', ')}.`);
}
