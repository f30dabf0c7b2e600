import { parseArgs } from 'node:util';

import { COMPARISONS } from './goals.js';
import { QUICK, THOROUGH } from './measures/scene.js';
import { TARGETS } from './targets.js';

const MEASURES = [...new Set(COMPARISONS.map(({ measure }) => measure))];

export const USAGE = `Usage: node bench/run.js [options]

  --quick           one short run of the servers alone, in less than a minute
  --runs <n>        runs to take the median of (default 3; 1 with --quick)
  --only <measure>  one measure, may be repeated: ${MEASURES.join(', ')}
  --target <name>   one server, may be repeated: ${[...TARGETS.keys()].join(', ')}
  --check           exit with 1 if a goal is missed
  --help`;

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
 * What bots and dialects add is left out of a short run, which is to take less than a minute.
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
      target: { type: 'string', multiple: true, default: [...TARGETS.keys()] },
      check: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const { quick, check, help, target } = values;
  const only = values.only ?? (quick ? MEASURES.filter(isOfServers) : MEASURES);
  refuseUnknown(only, MEASURES, 'measure');
  refuseUnknown(target, [...TARGETS.keys()], 'target');
  const runs = Number(values.runs ?? (quick ? 1 : 3));
  if (!Number.isInteger(runs) || runs < 1) throw new Error('--runs is a number from 1.');
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
 * @param {string[]} names
 * @param {string[]} known
 * @param {string} kind
 */
function refuseUnknown(names, known, kind) {
  const unknown = names.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new Error(`There is no ${kind} "${unknown}". There are: ${known.join(', ')}.`);
}
