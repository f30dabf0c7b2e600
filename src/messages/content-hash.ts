import { hash } from 'node:crypto';

/** Hashes what a sender wrote, so that a repeat under one cid can be compared (P-6.3). */
export function contentHash(text: string, replyTo: string | undefined): string {
  return hash('sha256', JSON.stringify([text, replyTo ?? null]), 'base64url');
}
