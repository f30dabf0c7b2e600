/** Describes why a program cannot start, for the operator who can fix it. */
export interface StartProblem {
  /** One sentence on what failed, such as "The port is in use." */
  readonly what: string;
  /** The path, address or setting concerned, such as "data/parlance.db (PARLANCE_DATA_DIR)". */
  readonly where?: string;
  /** The next step for the operator, in full sentences. */
  readonly remedy: string;
}

/**
 * Stops the start for a reason that the operator can fix.
 *
 * The message has one form, `what Where: where. remedy`, and is shown without a stack.
 */
export class StartError extends Error {
  override readonly name: string = 'StartError';

  constructor({ what, where, remedy }: StartProblem, options?: ErrorOptions) {
    const place = where === undefined ? '' : `Where: ${where}.`;
    super([what, place, remedy].filter((part) => part !== '').join(' '), options);
  }
}
