/** Requirements that several servers do not meet yet: a part of the title, and the reason. */
export const PENDING: readonly (readonly [title: string, reason: string])[] = [];
