import type { CommandFrame, Outcome } from '#src/protocol/frames.js';

import { explainFailure } from '../explain-failure.js';
import type { Link, LinkListener, OpenLink } from '../link.js';
import { loadPackage } from '../load-package.js';
import type { ServerAddress } from '../server-address.js';

/** Close code for an unknown reason (RFC 6455). */
const NO_CODE = 1006;

/** Options of `io()` of socket.io-client, such as `transports`, `path` or `extraHeaders`. */
export type SocketIoOptions = Readonly<Record<string, unknown>>;

/** The part of a socket of socket.io-client 3 or 4 that the client uses. */
export interface SocketIoSocket {
  connect(): unknown;
  disconnect(): unknown;
  emit(event: string, ...values: unknown[]): unknown;
  on(event: string, listener: (...values: never[]) => void): unknown;
  onAny(listener: (event: string, data: unknown) => void): unknown;
}

type Io = (url: string, options: object) => SocketIoSocket;

/** Returns a new socket for each connection, such as `() => io(url, options)`. */
export type MakeSocket = () => SocketIoSocket;

/** Returns a function that opens links over Socket.IO (P-10.3). */
export function socketIoLinks(
  address: ServerAddress,
  given: SocketIoOptions | MakeSocket = {},
): OpenLink {
  return async (listener) => {
    const makeSocket = typeof given === 'function' ? given : await load(address, given);
    return new SocketIoLink(makeSocket(), address, listener);
  };
}

/** Loads socket.io-client, which the app has to install. */
async function load(address: ServerAddress, given: SocketIoOptions): Promise<MakeSocket> {
  const { io } = (await loadPackage('socket.io-client').catch((cause: unknown) => {
    const message =
      "For transport: 'socket.io', install the package socket.io-client; in a page, also pass socketIo: () => io(url).";
    throw new Error(message, { cause });
  })) as { io: Io };
  const options = { path: address.socketIoPath, ...given };
  return () =>
    io(address.origin, { ...options, forceNew: true, reconnection: false, autoConnect: false });
}

/** A connection over Socket.IO. */
class SocketIoLink implements Link {
  constructor(
    private readonly socket: SocketIoSocket,
    private readonly address: ServerAddress,
    private readonly listener: LinkListener,
  ) {
    socket.on('connect', () => listener.opened());
    socket.onAny((event: string, data: unknown) => listener.frame({ event, data }));
    socket.on('connect_error', (error: Error) => void this.failed(error));
    socket.on('disconnect', (reason: string, details?: { context?: { code?: number } }) => {
      this.ended(details?.context?.code ?? NO_CODE, reason);
    });
    socket.connect();
  }

  send({ id, cmd, data = {} }: CommandFrame): void {
    if (id === undefined) this.socket.emit(cmd, data);
    else {
      this.socket.emit(cmd, data, (outcome: Outcome) =>
        this.listener.frame({ re: id, ...outcome }),
      );
    }
  }

  close(): void {
    this.socket.disconnect();
    // A socket that was not connected yet emits nothing.
    this.listener.closed(NO_CODE, 'closed');
  }

  /** Reports that there is no connection, and why. */
  private async failed(failure: Error): Promise<void> {
    this.socket.disconnect();
    const error = await explainFailure(this.address, failure);
    this.listener.closed(NO_CODE, error.message, error);
  }

  private ended(code: number, reason: string): void {
    this.listener.closed(code, reason);
    // A socket of the app might reconnect by itself otherwise.
    this.socket.disconnect();
  }
}
