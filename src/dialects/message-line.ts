import type { Message } from '../protocol/models.js';

/** Gives a message as one text, for programs that know nothing else; null if nothing is left. */
export function messageLine({ text, attachments = [], deletedAt }: Message): string | null {
  if (deletedAt !== undefined) return null;
  const names = attachments.map(({ name }) => `[${name}]`);
  const parts = text === '' ? names : [text, ...names];
  return parts.join(' ');
}
