const RETURN_SPREAD_MS = 10_000;

/** Spreads returning clients over time, so that they do not come all at once; milliseconds. */
export function returnDelay(): number {
  return Math.floor(Math.random() * RETURN_SPREAD_MS);
}
