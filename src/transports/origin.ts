import type { IncomingMessage } from 'node:http';

/**
 * Tells whether a request may connect as far as its Origin goes (P-10.5).
 *
 * Who sends none is no browser; pages of the host itself always may, others by the list.
 */
export function isOriginAllowed(
  request: IncomingMessage,
  origins: readonly string[] | undefined,
): boolean {
  const { origin, host } = request.headers;
  if (origin === undefined) return true;
  if (origins?.includes(origin) === true) return true;
  return URL.canParse(origin) && new URL(origin).host === host;
}
