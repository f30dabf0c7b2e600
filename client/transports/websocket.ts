import type { CommandFrame } from '#src/protocol/frames.js';
import { SUBPROTOCOL } from '#src/protocol/version.js';

import { explainFailure } from '../explain-failure.js';
import type { Link, LinkListener, OpenLink, ServerFrame } from '../link.js';
import { loadPackage } from '../load-package.js';
import type { ServerAddress } from '../server-address.js';

const NORMAL_CLOSE = 1000;
/** Close code for an unknown reason (RFC 6455). */
const NO_CODE = 1006;
/** Values of `readyState`. */
const OPEN = 1;
const CLOSING = 2;

/** The part of a WebSocket that the client uses; browsers, Node.js and `ws` all have it. */
interface Socket {
  readonly readyState: number;
  send(text: string): void;
  close(code?: number): void;
  /** Does not exist in browsers. */
  terminate?(): void;
  addEventListener(type: 'open', listener: () => void): void;
  addEventListener(type: 'error', listener: (event: unknown) => void): void;
  addEventListener(type: 'message', listener: (event: { data: unknown }) => void): void;
  addEventListener(
    type: 'close',
    listener: (event: { code: number; reason: string }) => void,
  ): void;
}

type SocketClass = new (url: string, protocol: string) => Socket;

/** Returns a function that opens links over plain WebSocket (P-10.2). */
export function webSocketLinks(address: ServerAddress): OpenLink {
  return async (listener) => new WebSocketLink(await findClass(), address, listener);
}

/** Returns the global WebSocket, which Node.js has since version 22, or that of `ws`. */
async function findClass(): Promise<SocketClass> {
  const { WebSocket: own } = globalThis as { WebSocket?: SocketClass };
  if (own !== undefined) return own;
  try {
    return ((await loadPackage('ws')) as { WebSocket: SocketClass }).WebSocket;
  } catch (cause) {
    throw new Error('Install the package ws: this Node.js has no WebSocket.', { cause });
  }
}

/** A connection over plain WebSocket. */
class WebSocketLink implements Link {
  private readonly socket: Socket;
  private isOpened = false;
  private hasFailed = false;
  private isClosing = false;

  constructor(
    WebSocket: SocketClass,
    private readonly address: ServerAddress,
    private readonly listener: LinkListener,
  ) {
    this.socket = new WebSocket(address.webSocketUrl, SUBPROTOCOL);
    this.socket.addEventListener('open', () => {
      this.isOpened = true;
      listener.opened();
    });
    this.socket.addEventListener('message', ({ data }) => {
      const frame = parse(data);
      if (frame !== null) listener.frame(frame);
    });
    // After a failed attempt, some WebSockets emit only `error`, and others only `close`.
    this.socket.addEventListener('error', (event) => void this.failed(event));
    this.socket.addEventListener('close', ({ code, reason }) => {
      if (this.isOpened) listener.closed(code, reason);
      else void this.failed(undefined);
    });
  }

  send(frame: CommandFrame): void {
    if (this.socket.readyState === OPEN) this.socket.send(JSON.stringify(frame));
  }

  close(): void {
    this.isClosing = true;
    if (this.hasFailed) this.listener.closed(NO_CODE, 'closed');
    else if (this.socket.readyState === CLOSING) this.socket.terminate?.();
    else this.socket.close(NORMAL_CLOSE);
  }

  /** Reports that there is no connection, and why. */
  private async failed(event: unknown): Promise<void> {
    if (this.isOpened || this.hasFailed) return;
    this.hasFailed = true;
    if (this.isClosing) {
      this.listener.closed(NO_CODE, 'closed');
      return;
    }
    const error = await explainFailure(this.address, event);
    this.listener.closed(NO_CODE, error.message, error);
  }
}

/** Parses a frame; returns null if the text is not one. */
function parse(text: unknown): ServerFrame | null {
  try {
    const frame: unknown = JSON.parse(String(text));
    return typeof frame === 'object' ? (frame as ServerFrame) : null;
  } catch {
    return null;
  }
}
