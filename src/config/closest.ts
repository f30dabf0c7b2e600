const MAX_DISTANCE = 4;
/** Maximum share of letters that may differ between similar words. */
const MAX_SHARE = 1 / 3;

/** Returns the word that is most similar to `word`; undefined if none is similar. */
export function closest(word: string, words: readonly string[]): string | undefined {
  let best: string | undefined;
  let least = MAX_DISTANCE + 1;
  for (const candidate of words) {
    // A lower bound of the distance; it saves the costly comparison of long words.
    if (Math.abs(word.length - candidate.length) >= least) continue;
    const distance = editDistance(word, candidate);
    const share = distance / Math.max(word.length, candidate.length);
    if (distance < least && share <= MAX_SHARE) {
      least = distance;
      best = candidate;
    }
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const swap = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
