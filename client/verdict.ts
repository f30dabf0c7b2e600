/** What a close code means for the client: when it comes back, if at all (P-4.5). */
export type Verdict = 'never' | 'later' | 'now' | 'new credentials';

/** Reads a close code by its range, since there may be codes that are not known here (P-4.5). */
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
