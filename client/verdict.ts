/** The meaning of a close code: whether and when to reconnect (P-4.5). */
export type Verdict = 'never' | 'later' | 'now' | 'new credentials';

/** Returns the meaning of a close code by its range, so that unknown codes have one too (P-4.5). */
export function verdictOf(code: number): Verdict {
  switch (Math.floor(code / 100)) {
    case 40:
      return 'never';
    case 42:
      return 'now';
    case 43:
      return 'new credentials';
    default:
      return 'later';
  }
}
