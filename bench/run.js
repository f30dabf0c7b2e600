import { existsSync } from 'node:fs';

import { readOptions, USAGE } from './options.js';
import { pinningObstacle } from './pinning.js';
import { printSeries, printTable, writeJson } from './report.js';
import { Results } from './results.js';
import { findSkipped, planSteps, runSteps } from './steps.js';
import { PARLANCE_SCRIPT } from './targets.js';

const ExitCode = { goalMissed: 1, failed: 2, interrupted: 130 };

for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) {
  process.once(signal, () => process.exit(ExitCode.interrupted));
}

try {
  process.exitCode = await main(readOptions(process.argv.slice(2)));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = ExitCode.failed;
}

/** @param {import('./options.js').Options} options */
async function main(options) {
  if (options.help) {
    console.log(USAGE);
    return 0;
  }
  const startedAt = new Date();
  const steps = planSteps(options);
  printSkipped(options);
  assertRunnable(steps);
  if (pinningObstacle !== null)
    console.log(`Processes are not pinned to cores: ${pinningObstacle}.`);

  const results = new Results();
  let failures = 0;
  for (let run = 1; run <= options.runs; run++) {
    failures += await runSteps(steps, options.timing, results, `[${run}/${options.runs}]`);
  }

  const compared = options.comparisons
    .map((comparison) => results.compare(comparison))
    .filter(({ ratio }) => ratio !== null);
  printSeries(results.series);
  if (compared.length > 0) printTable(compared);
  writeJson(options, compared, results, startedAt);
  if (failures > 0) return ExitCode.failed;
  return options.check && compared.some(({ met }) => met === false) ? ExitCode.goalMissed : 0;
}

/** @param {import('./options.js').Options} options */
function printSkipped(options) {
  for (const { title } of findSkipped(options)) {
    console.log(`SKIPPED: ${title}. To measure it, set TEST_DATABASE_URL=postgres://…`);
  }
}

/** @param {import('./steps.js').Step[]} steps */
function assertRunnable(steps) {
  if (process.platform !== 'linux') {
    throw new Error('The bench reads CPU time and memory from /proc, so it runs on Linux only.');
  }
  if (steps.length === 0)
    throw new Error('None of the selected servers takes part in the selected measures.');
  const needsBuild = steps.some(({ target }) => target.script === PARLANCE_SCRIPT);
  if (needsBuild && !existsSync(PARLANCE_SCRIPT)) {
    throw new Error('dist/main.js does not exist. Run "npm run build" first.');
  }
}
