import { randomUUID } from 'node:crypto';

import { HttpException, Logger } from '@nestjs/common';
import { WsException } from '@nestjs/websockets';

import { ProtocolError, type ErrorCode, type WireError } from '../../protocol/errors.js';

const logger = new Logger('Commands');
const CODES_BY_STATUS: Readonly<Record<number, ErrorCode>> = {
  400: 'invalid',
  401: 'forbidden',
  403: 'forbidden',
  404: 'not_found',
  429: 'rate_limited',
};

/**
 * Returns the error to send to a client for anything that a handler threw (P-4.1, P-4.4).
 *
 * A protocol error is sent as it is. Anything else is a bug: it is logged with an id, and the
 * client gets only that id.
 */
export function toWireError(
  thrown: unknown,
  where: { cmd: string; connection: string },
): WireError {
  if (thrown instanceof ProtocolError) return thrown.toWire();
  if (thrown instanceof WsException) {
    return new ProtocolError('forbidden', { message: thrown.message }).toWire();
  }
  if (thrown instanceof HttpException) {
    const code = CODES_BY_STATUS[thrown.getStatus()];
    if (code !== undefined) return new ProtocolError(code, { message: thrown.message }).toWire();
  }
  const incident = randomUUID();
  logger.error({ msg: 'A command failed', incident, ...where, err: thrown });
  return new ProtocolError('internal', {
    message: `The server failed; the failure was logged as ${incident}.`,
    details: { incident },
  }).toWire();
}
