import type { IncomingMessage } from 'node:http';

/**
 * Tells whether a request may connect as far as its Origin goes (P-10.5).
 *
 * Who sends none is no browser; without a list, a page must come from the host itself.
 */
export function isOriginAllowed(
  request: IncomingMessage,
  origins: readonly string[] | undefined,
): boolean {
  const { origin, host } = request.headers;
  if (origin === undefined) return true;
  if (origins !== undefined) return origins.includes(origin);
  return URL.canParse(origin) && new URL(origin).host === host;
}
