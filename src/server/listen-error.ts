import type { Config } from '../config/config.js';
import { StartError } from '../config/start-error.js';

const CAUSES: Readonly<Record<string, readonly [what: string, remedy: string]>> = {
  EADDRINUSE: [
    'The port is in use.',
    'Stop the program that listens on it, or set PORT to another port.',
  ],
  EACCES: [
    'The user of this process may not listen on the port.',
    'Set PORT to 1024 or higher and put a proxy in front, or grant CAP_NET_BIND_SERVICE.',
  ],
  EADDRNOTAVAIL: [
    'No network interface has the address.',
    'Set HOST to an address of this machine, or remove it to listen on all addresses.',
  ],
  EAFNOSUPPORT: [
    'The system does not support this address family.',
    'Set HOST to an address of another family.',
  ],
  ENOTFOUND: ['The host name is unknown.', 'Set HOST to an address of this machine.'],
  EAI_AGAIN: ['The host name cannot be resolved.', 'Set HOST to an address of this machine.'],
};

/** Returns the {@link StartError} for an error of `listen`; the error itself if it is unknown. */
export function toListenError(error: unknown, { host = 'all addresses', port }: Config): unknown {
  const cause = CAUSES[(error as NodeJS.ErrnoException).code ?? ''];
  if (cause === undefined) return error;
  const [what, remedy] = cause;
  const where = `port ${String(port)} (PORT) of ${host} (HOST)`;
  return new StartError({ what, where, remedy }, { cause: error });
}
