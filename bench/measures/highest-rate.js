const GROWTH = 1.25;
const SHRINK = 0.6;

/**
 * Searches for the highest rate that a server holds: grows or shrinks from `start`, then bisects.
 *
 * @template T
 * @param {object} search
 * @param {number} search.start
 * @param {number} search.steps maximum number of attempts
 * @param {number} search.precision ratio of the lowest failed to the highest held rate at which to stop
 * @param {(rate: number) => Promise<{ held: boolean, trial: T }>} search.attempt
 */
export async function findHighestRate({ start, steps, precision, attempt }) {
  let rate = Math.max(1, Math.round(start));
  /** @type {{ rate: number, trial: T } | null} */
  let best = null;
  /** @type {{ rate: number, trial: T } | null} */
  let failed = null;
  for (let step = 0; step < steps; step++) {
    const { held, trial } = await attempt(rate);
    if (held) best = { rate, trial };
    else failed = { rate, trial };
    const next = Math.round(nextRate(rate, best?.rate, failed?.rate));
    if (best !== null && failed !== null) {
      if (failed.rate / best.rate <= precision) break;
      if (next <= best.rate || next >= failed.rate) break;
    }
    rate = Math.max(1, next);
  }
  return { best, failed };
}

/**
 * @param {number} rate
 * @param {number | undefined} best
 * @param {number | undefined} failed
 */
function nextRate(rate, best, failed) {
  if (failed === undefined) return rate * GROWTH;
  if (best === undefined) return rate * SHRINK;
  return Math.sqrt(best * failed);
}
