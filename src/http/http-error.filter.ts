import { Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { Request, Response } from 'express';

import { toWireError } from '../chat/failure.js';
import type { ErrorCode, WireError } from '../protocol/errors.js';

const STATUSES: Partial<Record<ErrorCode, number>> = {
  invalid: 400,
  token_invalid: 401,
  token_expired: 401,
  forbidden: 403,
  not_found: 404,
  limit_reached: 409,
  too_large: 413,
  image_unreadable: 422,
  rate_limited: 429,
  unavailable: 503,
};
const DISK_FULL = 507;

/** Answers over HTTP by the errors of the protocol (P-14.2). */
@Catch()
export class HttpErrorFilter implements ExceptionFilter {
  catch(thrown: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<Request>();
    const response = http.getResponse<Response>();
    // Who has gone is told nothing, and what failed by that is no failure of the server.
    if (response.destroyed) return;
    const cmd = `${request.method} ${request.path}`;
    const error = toWireError(thrown, { cmd, connection: 'http' });
    if (response.headersSent) {
      response.destroy();
      return;
    }
    if (error.retryAfterMs !== undefined) {
      response.set('Retry-After', String(Math.ceil(error.retryAfterMs / 1_000)));
    }
    const status = statusOf(error);
    if (status === 401) response.set('WWW-Authenticate', 'Bearer');
    response.status(status).json({ error });
    // What the client still sends is read and thrown away, or it would never see the answer.
    request.resume();
  }
}

function statusOf({ code, details }: WireError): number {
  if (details?.['storage'] === 'full') return DISK_FULL;
  return STATUSES[code] ?? 500;
}
