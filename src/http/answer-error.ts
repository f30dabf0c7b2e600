import type { ErrorRequestHandler, Request } from 'express';

import { toWireError } from '../chat/connections/failure.js';
import { ProtocolError, type ErrorCode, type WireError } from '../protocol/errors.js';
import { expectsContinue } from './read-upload.js';

const STATUSES: Partial<Record<ErrorCode, number>> = {
  invalid: 400,
  token_invalid: 401,
  token_expired: 401,
  forbidden: 403,
  not_found: 404,
  limit_reached: 409,
  too_large: 413,
  too_slow: 408,
  image_unreadable: 422,
  rate_limited: 429,
  unavailable: 503,
};
const DISK_FULL = 507;
const DISCARD_MS = 10_000;

/** Answers a failed request with an error of the protocol (P-14.2). */
// Express recognizes error handlers by their four parameters.
// eslint-disable-next-line @typescript-eslint/no-unused-vars
export const answerError: ErrorRequestHandler = (thrown, request, response, _next) => {
  // The client closed the connection, which is not a failure of the server.
  if (response.destroyed) return;
  const cmd = `${request.method} ${request.baseUrl}${request.path}`;
  const error = toWireError(isMalformedPath(thrown) ? malformedPath() : thrown, {
    cmd,
    connection: 'http',
  });
  if (response.headersSent) {
    response.destroy();
    return;
  }
  if (error.retryAfterMs !== undefined) {
    response.set('Retry-After', String(Math.ceil(error.retryAfterMs / 1_000)));
  }
  const status = statusOf(error);
  if (status === 401) response.set('WWW-Authenticate', 'Bearer');
  // After `Expect: 100-continue` the client may or may not send the body, so that the server cannot
  // tell where the next request begins.
  if (error.code === 'too_slow' || expectsContinue(request)) response.set('Connection', 'close');
  response.status(status).json({ error });
  discardBody(request);
};

/** Reads the rest of the body for a limited time; many clients read the response only after it. */
function discardBody(request: Request): void {
  if (request.complete) return;
  const timer = setTimeout(() => request.destroy(), DISCARD_MS).unref();
  request.once('close', () => clearTimeout(timer)).resume();
}

/** Returns whether Express threw because of malformed percent-encoding in the path. */
function isMalformedPath(thrown: unknown): boolean {
  return thrown instanceof URIError;
}

function malformedPath(): ProtocolError {
  return new ProtocolError('invalid', { message: 'The path is malformed.' });
}

function statusOf({ code, details }: WireError): number {
  if (details?.['storage'] === 'full') return DISK_FULL;
  return STATUSES[code] ?? 500;
}
