/**
 * Close codes of the server (P-4.5).
 *
 * The range tells the client what to do. 40xx: do not reconnect; 41xx: reconnect after a delay;
 * 42xx: reconnect at once and resume; 43xx: get new credentials first.
 */
export const CloseCode = {
  /** The client repeatedly sent frames that are not commands (P-3.8). */
  protocolViolation: 4001,
  /** The server supports none of the offered protocol versions (P-1.4). */
  unsupportedVersion: 4002,
  /** No hello succeeded in time (P-2.3). */
  helloTimeout: 4003,
  /** A newer connection of the same bot replaced this one (P-13.10). */
  replaced: 4004,
  /** The client continued although its commands were rate-limited (P-9.10). */
  rateAbuse: 4101,
  /** The address has too many open connections (P-9.11). */
  tooManyConnections: 4102,
  /** The server has no database, or does not serve bots now (P-5.15, P-13.8). */
  unavailable: 4103,
  /** The server is stopping or restarting (P-2.14). */
  goingAway: 4201,
  /** The client reads too slowly (P-9.12). */
  slowConsumer: 4202,
  /** The client did not answer a ping (P-2.12). */
  heartbeatTimeout: 4203,
  /** The server lost its database for a moment, or failed to send a frame (P-4.4, P-5.15). */
  resync: 4204,
  /** The token expired and was not refreshed (P-2.9). */
  tokenExpired: 4301,
} as const;

/** A close code that the server chooses (P-4.5). */
export type CloseCode = (typeof CloseCode)[keyof typeof CloseCode];

/** Close codes for violations at the level of frames; no `bye` precedes them (P-4.6). */
export const FrameCloseCode = {
  normal: 1000,
  protocolError: 1002,
  unsupportedData: 1003,
  invalidText: 1007,
  policyViolation: 1008,
  tooLarge: 1009,
} as const;

/** Returns whether a client may reconnect on its own after a close with `code` (P-4.5). */
export function mayReconnect(code: number): boolean {
  return code < 4000 || (code >= 4100 && code < 4300);
}
