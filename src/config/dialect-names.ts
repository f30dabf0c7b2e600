/** The chat programs of others whose clients are served, in the form of each. */
export const DIALECT_NAMES = [
  'livechat',
  'rooms',
  'simple-chat',
  'realtime-chat',
  'broadcast',
] as const;

/** Name of such a program. */
export type DialectName = (typeof DIALECT_NAMES)[number];
