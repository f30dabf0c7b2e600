import type { IncomingMessage, ServerResponse } from 'node:http';

import { ProtocolError } from '../protocol/errors.js';
import type { Limits } from '../protocol/limits.js';
import { FileName } from '../protocol/models.js';

type Window = Pick<Limits, 'uploadWindowMs' | 'uploadWindowBytes'>;

/**
 * Reads the name of an upload from the query of its URL (P-14.1).
 *
 * Reads the raw URL because Express accepts malformed percent-encoding as literal text.
 *
 * @throws ProtocolError `invalid`
 */
export function readUploadName(url: string): string | undefined {
  const query = url.split('?').slice(1).join('?');
  const names = query.split('&').filter((part) => /^name(=|$)/.test(part));
  const [first, ...more] = names;
  if (first === undefined) return undefined;
  if (more.length > 0) throw invalidName('there is more than one');
  const result = FileName.safeParse(decode(first.slice('name='.length)));
  if (result.success) return result.data;
  throw invalidName(result.error.issues[0]?.message ?? 'is malformed');
}

/** Decodes a query value, in which a plus means a space, as in HTML forms. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    throw invalidName('is not percent-encoded UTF-8');
  }
}

function invalidName(message: string): ProtocolError {
  const details = { issues: [{ path: 'name', message }] };
  return new ProtocolError('invalid', { message: `name: ${message}`, details });
}

/**
 * Reads the body of an upload as long as it makes progress (P-14.1).
 *
 * If the client sent `Expect: 100-continue`, requests the body first, so that an upload refused
 * earlier is refused without its body.
 *
 * @throws ProtocolError `too_slow`
 */
export async function* readUploadBody(
  request: IncomingMessage,
  response: ServerResponse,
  { uploadWindowMs, uploadWindowBytes }: Window,
): AsyncGenerator<Uint8Array> {
  if (expectsContinue(request)) response.writeContinue();
  // The response needs the connection even if the rest of the body is not read.
  const chunks = request.iterator({ destroyOnReturn: false }) as AsyncIterator<Uint8Array>;
  let bytes = 0;
  // Counts only time spent waiting for the client: a slow disk is not its fault.
  let leftMs = uploadWindowMs;
  for (;;) {
    const startedAt = performance.now();
    const chunk = await settledWithin(leftMs, chunks.next());
    leftMs -= performance.now() - startedAt;
    if (chunk === null) throw tooSlow(uploadWindowBytes);
    if (chunk.done === true) return;
    bytes += chunk.value.length;
    if (bytes >= uploadWindowBytes) [bytes, leftMs] = [0, uploadWindowMs];
    yield chunk.value;
  }
}

/** Returns whether the client waits for `100 Continue` before it sends the body. */
export function expectsContinue({ headers }: IncomingMessage): boolean {
  return headers.expect?.toLowerCase() === '100-continue';
}

/** Resolves with the value of a promise, or with null after `ms` milliseconds. */
async function settledWithin<T>(ms: number, promise: Promise<T>): Promise<T | null> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), ms);
  });
  // A rejection after the timeout has no other handler.
  promise.catch(() => undefined);
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

function tooSlow(value: number): ProtocolError {
  return new ProtocolError('too_slow', { details: { limit: 'uploadWindowBytes', value } });
}
