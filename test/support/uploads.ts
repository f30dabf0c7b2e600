import assert from 'node:assert/strict';

import type { WireError } from '#src/protocol/errors.js';
import { Attachment } from '#src/protocol/models.js';

import type { TestClient } from './client.js';

/** What an HTTP request was answered by. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Buffer;
}

/** How an upload is sent. */
export interface UploadOptions {
  readonly name?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Gives the headers that tell who somebody is. */
export function bearer({ welcome }: TestClient): Record<string, string> {
  return { authorization: `Bearer ${welcome.token ?? ''}` };
}

/** Sends a request and reads its whole answer. */
export async function request(url: string, init: RequestInit = {}): Promise<HttpAnswer> {
  const { status, headers, ...answer } = await fetch(url, init).then(async (response) => ({
    status: response.status,
    headers: response.headers,
    body: await response.arrayBuffer(),
  }));
  return { status, headers, bytes: Buffer.from(answer.body) };
}

/** Uploads bytes, whatever comes of it. */
export function upload(
  url: string,
  bytes: Buffer,
  { name, headers = {} }: UploadOptions = {},
): Promise<HttpAnswer> {
  const query = name === undefined ? '' : `?name=${encodeURIComponent(name)}`;
  const body = new Uint8Array(bytes);
  return request(`${url}/api/files${query}`, { method: 'POST', headers, body });
}

/** Uploads bytes that must be taken; gives the file. */
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

/** Reads a path as a user, whatever comes of it. */
export function read(url: string, path: string, client: TestClient): Promise<HttpAnswer> {
  return request(url + path, { headers: bearer(client) });
}

/** Gives the error of an answer, whose status must be this one. */
export function errorOf(answer: HttpAnswer, status: number, code: string): WireError {
  const text = answer.bytes.toString();
  assert.equal(answer.status, status, text);
  const { error } = JSON.parse(text) as { error: WireError };
  assert.equal(error.code, code, text);
  return error;
}
