import type { IncomingMessage } from 'node:http';

import proxyAddr from 'proxy-addr';

/** Gives the address of a client; forwarded addresses count only from trusted proxies. */
export function addressReader(trusted: readonly string[]): (request: IncomingMessage) => string {
  const trust = proxyAddr.compile([...trusted]);
  // A socket that is gone has no address.
  return (request) => (request.socket.remoteAddress === undefined ? '' : proxyAddr(request, trust));
}
