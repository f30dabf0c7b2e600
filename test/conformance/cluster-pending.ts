/** Requirements that several servers do not meet: a part of the title, and the reason. */
export const PENDING: readonly (readonly [title: string, reason: string])[] = [
  [
    'stores a guest at the first command that writes',
    'servers that share a database store a guest at hello',
  ],
];
