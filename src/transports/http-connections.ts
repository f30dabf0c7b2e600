import type { Server as HttpServer } from 'node:http';
import type { Socket } from 'node:net';

import { AddressLimit } from '../limits/address-limit.js';
import type { AddressWarnings } from '../limits/address-warnings.js';
import type { Limits } from '../protocol/limits.js';
import type { ClientAddresses } from './client-addresses.js';

/** TCP connections that an address may have for each of its chat connections. */
const TCP_PER_CONNECTION = 4;
const CHECKS = 10;

/**
 * Limits the number of TCP connections, and the time before they send a request (P-9.11).
 *
 * By default Node.js checks its timeouts every 30 s. The interval is a property of the server that
 * is read when the server starts to listen; only the option of `createServer` is documented.
 */
export function limitHttpConnections(
  http: HttpServer,
  { helloTimeoutMs, connectionsPerAddress }: Limits,
  addresses: ClientAddresses,
  warnings: AddressWarnings,
): void {
  http.headersTimeout = helloTimeoutMs;
  Object.assign(http, { connectionsCheckingInterval: helloTimeoutMs / CHECKS });
  const limit = new AddressLimit(connectionsPerAddress * TCP_PER_CONNECTION, (address) =>
    warnings.atLimit(address, 'connectionsPerAddress'),
  );
  http.on('connection', (socket: Socket) => {
    const { remoteAddress = '' } = socket;
    // Behind a proxy all clients have its address.
    if (addresses.isTrusted(remoteAddress)) return;
    const slot = limit.acquire(remoteAddress);
    if (slot === null) socket.destroy();
    else socket.once('close', () => slot.release());
  });
}
