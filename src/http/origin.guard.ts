import { Inject, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { Request, Response } from 'express';

import { CONFIG, type Config } from '../config/config.js';
import { ProtocolError } from '../protocol/errors.js';
import { isOriginAllowed } from '../transports/origin.js';

/** Lets pages of those origins in that may connect, and has browsers know it (P-14.2). */
@Injectable()
export class OriginGuard implements CanActivate {
  constructor(@Inject(CONFIG) private readonly config: Config) {}

  canActivate(context: ExecutionContext): boolean {
    const http = context.switchToHttp();
    const request = http.getRequest<Request>();
    const response = http.getResponse<Response>();
    response.vary('Origin');
    const { origin } = request.headers;
    if (origin === undefined) return true;
    if (!isOriginAllowed(request, this.config.origins)) {
      throw new ProtocolError('forbidden', { message: 'Pages of this origin may not connect.' });
    }
    response.set({
      'Access-Control-Allow-Origin': origin,
      'Access-Control-Expose-Headers': 'Content-Disposition, Retry-After',
    });
    return true;
  }
}
