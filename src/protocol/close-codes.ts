/**
 * Close codes of the server (P-4.5).
 *
 * The range is the verdict: 40xx do not come back, 41xx come back after a delay,
 * 42xx come back now and resume, 43xx get new credentials first.
 */
export const CloseCode = {
  /** The client sent frames that are no commands, again and again (P-3.8). */
  protocolViolation: 4001,
  /** None of the offered protocol versions is spoken here (P-1.4). */
  unsupportedVersion: 4002,
  /** No hello succeeded in time (P-2.3). */
  helloTimeout: 4003,
  /** A newer connection of the same bot took its place (P-13.10). */
  replaced: 4004,
  /** The client went on although its commands were refused for their rate (P-9.10). */
  rateAbuse: 4101,
  /** The address has too many open connections (P-9.11). */
  tooManyConnections: 4102,
  /** The server has no database, so that no session can begin (P-5.15). */
  unavailable: 4103,
  /** The server is stopping or restarting (P-2.14). */
  goingAway: 4201,
  /** The client reads too slowly (P-9.12). */
  slowConsumer: 4202,
  /** The client did not answer a ping (P-2.12). */
  heartbeatTimeout: 4203,
  /** The server lost its database for a moment, or failed to send something (P-4.4, P-5.15). */
  resync: 4204,
  /** The token expired and was not refreshed (P-2.9). */
  tokenExpired: 4301,
} as const;

/** A close code that the server decides on (P-4.5). */
export type CloseCode = (typeof CloseCode)[keyof typeof CloseCode];

/** Close codes for breaches at the level of frames; no `bye` precedes them (P-4.6). */
export const FrameCloseCode = {
  normal: 1000,
  protocolError: 1002,
  unsupportedData: 1003,
  invalidText: 1007,
  policyViolation: 1008,
  tooLarge: 1009,
} as const;

/** Tells whether a client that was closed with `code` may come back by itself (P-4.5). */
export function mayReconnect(code: number): boolean {
  return code < 4000 || (code >= 4100 && code < 4300);
}
