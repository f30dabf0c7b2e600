import { ERRORS, type WireError } from '#src/protocol/errors.js';
import type { Attachment } from '#src/protocol/models.js';

import { CommandError } from './command-error.js';
import { ConnectionError } from './connection-error.js';

/** Bytes of a file, as browsers and Node.js have them. */
export type FileBytes = Blob | Uint8Array<ArrayBuffer>;

/**
 * Uploads a file to the server of an address (P-14.1).
 *
 * @throws CommandError if the server refused it
 * @throws ConnectionError `lost` if there is no answer to be had
 */
export async function uploadFile(
  address: string,
  token: string,
  bytes: FileBytes,
  name?: string,
): Promise<Attachment> {
  const url = new URL('/api/files', address);
  url.protocol = url.protocol.replace('ws', 'http');
  if (name !== undefined) url.searchParams.set('name', name);
  const { isOk, answer } = await post(url, token, bytes);
  if (isOk) return answer as Attachment;
  const { error } = answer as { error?: WireError };
  if (error === undefined || !(error.code in ERRORS)) throw lost(answer);
  throw new CommandError('upload', error);
}

async function post(
  url: URL,
  token: string,
  body: FileBytes,
): Promise<{ isOk: boolean; answer: object }> {
  const headers = { Authorization: `Bearer ${token}` };
  try {
    const response = await fetch(url, { method: 'POST', headers, body });
    return { isOk: response.status === 201, answer: (await response.json()) as object };
  } catch (cause) {
    throw lost(cause);
  }
}

function lost(cause: unknown): ConnectionError {
  const message = 'The upload got no answer that is one of this protocol.';
  return new ConnectionError('lost', message, { wasSent: true, cause });
}
