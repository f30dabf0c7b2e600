import assert from 'node:assert/strict';

import type { WireError } from '#src/protocol/errors.js';
import { Attachment } from '#src/protocol/models.js';

import type { TestClient } from './client.js';

/** An HTTP response with its body. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Buffer;
}

/** Options of an upload. */
export interface UploadOptions {
  readonly name?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Returns the headers that authenticate a user. */
export function bearer({ welcome }: TestClient): Record<string, string> {
  return { authorization: `Bearer ${welcome.token ?? ''}` };
}

/** Sends a request and reads the whole response. */
export async function request(url: string, init: RequestInit = {}): Promise<HttpAnswer> {
  const { status, headers, ...answer } = await fetch(url, init).then(async (response) => ({
    status: response.status,
    headers: response.headers,
    body: await response.arrayBuffer(),
  }));
  return { status, headers, bytes: Buffer.from(answer.body) };
}

/** Uploads bytes; returns the response, a success or an error. */
export function upload(
  url: string,
  bytes: Buffer,
  { name, headers = {} }: UploadOptions = {},
): Promise<HttpAnswer> {
  const query = name === undefined ? '' : `?name=${encodeURIComponent(name)}`;
  const body = new Uint8Array(bytes);
  return request(`${url}/api/files${query}`, { method: 'POST', headers, body });
}

/** Uploads bytes, which must succeed; returns the file. */
export async function uploaded(
  url: string,
  client: TestClient,
  bytes: Buffer,
  options: UploadOptions = {},
): Promise<Attachment> {
  const headers = { ...options.headers, ...bearer(client) };
  const { status, bytes: body } = await upload(url, bytes, { ...options, headers });
  assert.equal(status, 201, body.toString());
  const file: unknown = JSON.parse(body.toString());
  assert.deepEqual(Attachment.parse(file), file);
  return file as Attachment;
}

/** Requests a path as a user; returns the response, a success or an error. */
export function read(url: string, path: string, client: TestClient): Promise<HttpAnswer> {
  return request(url + path, { headers: bearer(client) });
}

/** Asserts the status and the error code of a response; returns the error. */
export function errorOf(answer: HttpAnswer, status: number, code: string): WireError {
  const text = answer.bytes.toString();
  assert.equal(answer.status, status, text);
  const { error } = JSON.parse(text) as { error: WireError };
  assert.equal(error.code, code, text);
  return error;
}
