import type { WireError } from '#src/protocol/errors.js';
import type { Attachment } from '#src/protocol/models.js';

import { CommandError } from './command-error.js';
import { ConnectionError } from './connection-error.js';
import { explainStatus, isProtocolError } from './explain-failure.js';
import type { ServerAddress } from './server-address.js';

/** The bytes of a file. */
export type FileBytes = Blob | Uint8Array<ArrayBuffer>;

const UPLOADED = 201;
const BODY_TOO_LARGE = 413;

/** A request for a file, and its name in errors. */
interface FileRequest {
  readonly name: 'upload' | 'download';
  readonly url: URL;
  readonly token: string;
  readonly init?: { readonly method: string; readonly body: FileBytes };
}

/**
 * Uploads a file (P-14.1).
 *
 * @throws CommandError if the server refused it
 * @throws ConnectionError if no Parlance server answered
 */
export async function uploadFile(
  address: ServerAddress,
  token: string,
  bytes: FileBytes,
  name?: string,
): Promise<Attachment> {
  const url = address.http('api/files');
  if (name !== undefined) url.searchParams.set('name', name);
  const init = { method: 'POST', body: bytes };
  const response = await ask({ name: 'upload', url, token, init });
  if (response.status !== UPLOADED) throw await refusalOf('upload', address, response);
  return read('upload', response, () => response.json() as Promise<Attachment>);
}

/**
 * Downloads a file by the `url` of its attachment (P-14.7).
 *
 * @throws CommandError if the server refused it
 * @throws ConnectionError if no Parlance server answered
 */
export async function downloadFile(
  address: ServerAddress,
  token: string,
  path: string,
): Promise<Blob> {
  const response = await ask({ name: 'download', url: address.file(path), token });
  if (!response.ok) throw await refusalOf('download', address, response);
  return read('download', response, () => response.blob());
}

async function ask({ name, url, token, init }: FileRequest): Promise<Response> {
  try {
    return await fetch(url, { ...init, headers: { Authorization: `Bearer ${token}` } });
  } catch (cause) {
    const message = `The ${name} got no response: the connection to ${url.host} failed. Try again.`;
    throw new ConnectionError('lost', message, { wasSent: true, cause });
  }
}

async function read<T>(name: string, { url }: Response, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (cause) {
    const message = `The response to the ${name} is incomplete or not valid: ${url}`;
    throw new ConnectionError('lost', message, { wasSent: true, cause });
  }
}

async function refusalOf(
  name: string,
  address: ServerAddress,
  response: Response,
): Promise<CommandError | ConnectionError> {
  const body: unknown = await response.json().catch(() => null);
  if (isProtocolError(body)) return new CommandError(name, body.error as WireError);
  if (response.status !== BODY_TOO_LARGE) return explainStatus(address, response);
  const message = `A proxy in front of ${address.toString()} refuses files of this size (HTTP 413). Raise its limit for request bodies (client_max_body_size in nginx).`;
  return new ConnectionError('too_large', message);
}
