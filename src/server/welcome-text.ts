import { isIPv6, type AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';

import type { Config } from '../config/config.js';

/** Returns the text that the terminal shows once the server listens. */
export function welcomeText(listening: AddressInfo, config: Config): string {
  const host = urlHost(listening);
  const room = config.defaultRoom;
  const join = { id: 1, cmd: 'room.join', data: { room } };
  const send = { id: 2, cmd: 'message.send', data: { room, text: 'Hello from a WebSocket' } };
  const storage = config.databaseUrl === undefined ? `SQLite in ${config.dataDir}/` : 'PostgreSQL';
  return `
Parlance is running. It stores its data in ${storage}.
${reachability(listening)}
  Chat      http://${host}/   (open a private window to chat as a second person)
  WebSocket npx wscat -s parlance.v1 -c "ws://${host}/ws?name=ann"
            and paste these two lines:
${JSON.stringify(join)}
${JSON.stringify(send)}
  Socket.IO io("http://${host}", { auth: { name: "ann" } })
  Protocol  http://${host}/docs/protocol.md
  Health    http://${host}/healthz   http://${host}/readyz

`;
}

function urlHost({ address, port }: AddressInfo): string {
  const isLocal = isWildcard(address) || address === '127.0.0.1' || address === '::1';
  return `${isLocal ? 'localhost' : bracketed(address)}:${String(port)}`;
}

/** Says who can reach the server, because the default is wider than a first start may expect. */
function reachability({ address, port }: AddressInfo): string {
  if (!isWildcard(address)) {
    return `It listens on ${bracketed(address)}:${String(port)} only.\n`;
  }
  const addresses = Object.values(networkInterfaces())
    .flatMap((found) => found ?? [])
    .filter(({ internal, address: own }) => !internal && !own.startsWith('fe80:'))
    .map(({ address: own }) => bracketed(own));
  if (addresses.length === 0) return '';
  return (
    `It listens on all addresses of this machine (${addresses.join(', ')}): everyone who can\n` +
    'reach them can chat and upload as a guest. To allow this machine only, set HOST=127.0.0.1.\n'
  );
}

function isWildcard(address: string): boolean {
  return address === '::' || address === '0.0.0.0';
}

function bracketed(address: string): string {
  return isIPv6(address) ? `[${address}]` : address;
}
