import { hash } from 'node:crypto';

import type { CommandData } from '../protocol/commands.js';

type Content = Pick<CommandData<'message.send'>, 'text' | 'replyTo' | 'files' | 'image'>;

/** Hashes what a sender wrote, so that a repeat under one cid can be compared (P-6.3). */
export function contentHash({ text = '', replyTo, files, image }: Content): string {
  const content: unknown[] = [text, replyTo ?? null];
  // What has neither is hashed as it was before there were files.
  if ((files ?? image) !== undefined) content.push(files ?? null, image ?? null);
  return hash('sha256', JSON.stringify(content), 'base64url');
}
