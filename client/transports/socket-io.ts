import type { CommandFrame, Outcome } from '#src/protocol/frames.js';

import type { Link, LinkListener, OpenLink } from '../link.js';

/** Stands for a close code that is not known (RFC 6455). */
const NO_CODE = 1006;

/** Options of `io()` of socket.io-client, such as `transports`, `path` or `extraHeaders`. */
export type SocketIoOptions = Readonly<Record<string, unknown>>;

/** What of a socket of socket.io-client 3 or 4 is used. */
export interface SocketIoSocket {
  connect(): unknown;
  disconnect(): unknown;
  emit(event: string, ...values: unknown[]): unknown;
  on(event: string, listener: (...values: never[]) => void): unknown;
  onAny(listener: (event: string, data: unknown) => void): unknown;
}

/** Makes a new socket for each connection, such as `() => io(url, options)`. */
export type MakeSocket = () => SocketIoSocket;

/**
 * Gives links over Socket.IO (P-10.3).
 *
 * @throws TypeError if the address is none
 */
export function socketIoLinks(address: string, given: SocketIoOptions | MakeSocket = {}): OpenLink {
  const url = new URL(address);
  url.protocol = url.protocol.replace('ws', 'http');
  return async (listener) => {
    const makeSocket = typeof given === 'function' ? given : await load(url.origin, given);
    return new SocketIoLink(makeSocket(), listener);
  };
}

/** Loads socket.io-client, which is there only if the app has it installed. */
async function load(origin: string, options: SocketIoOptions): Promise<MakeSocket> {
  const { io } = await import('socket.io-client');
  return () => io(origin, { ...options, forceNew: true, reconnection: false, autoConnect: false });
}

/** A connection over Socket.IO. */
class SocketIoLink implements Link {
  constructor(
    private readonly socket: SocketIoSocket,
    private readonly listener: LinkListener,
  ) {
    socket.on('connect', () => listener.opened());
    socket.onAny((event: string, data: unknown) => listener.frame({ event, data }));
    socket.on('connect_error', ({ message }: Error) => this.ended(NO_CODE, message));
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
    // A socket that was not connected yet says nothing.
    this.listener.closed(NO_CODE, 'closed');
  }

  private ended(code: number, reason: string): void {
    this.listener.closed(code, reason);
    // A socket that was given might come back by itself otherwise.
    this.socket.disconnect();
  }
}
