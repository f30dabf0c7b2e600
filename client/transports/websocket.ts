import type { CommandFrame } from '#src/protocol/frames.js';
import { SUBPROTOCOL } from '#src/protocol/version.js';

import type { Link, LinkListener, OpenLink, ServerFrame } from '../link.js';

const NORMAL_CLOSE = 1000;
/** Stands for a close code that is not known (RFC 6455). */
const NO_CODE = 1006;
/** Values of `readyState`. */
const OPEN = 1;
const CLOSING = 2;

/** What of a WebSocket is used: that of browsers, of Node.js and of `ws` all have it. */
interface Socket {
  readonly readyState: number;
  send(text: string): void;
  close(code?: number): void;
  /** Only where it does not run in a browser. */
  terminate?(): void;
  addEventListener(type: 'open' | 'error', listener: () => void): void;
  addEventListener(type: 'message', listener: (event: { data: unknown }) => void): void;
  addEventListener(
    type: 'close',
    listener: (event: { code: number; reason: string }) => void,
  ): void;
}

type SocketClass = new (url: string, protocol: string) => Socket;

/**
 * Gives links over plain WebSocket (P-10.2).
 *
 * @throws TypeError if the address is none
 */
export function webSocketLinks(address: string): OpenLink {
  const url = new URL(address);
  url.protocol = url.protocol.replace('http', 'ws');
  if (url.pathname === '/') url.pathname = '/ws';
  return async (listener) => new WebSocketLink(await findClass(), url.href, listener);
}

/** Node.js has a WebSocket of its own from version 22 on. */
async function findClass(): Promise<SocketClass> {
  const { WebSocket: own } = globalThis as { WebSocket?: SocketClass };
  return own ?? (await import('ws')).WebSocket;
}

/** A connection over plain WebSocket. */
class WebSocketLink implements Link {
  private readonly socket: Socket;

  constructor(WebSocket: SocketClass, url: string, listener: LinkListener) {
    this.socket = new WebSocket(url, SUBPROTOCOL);
    let isOpened = false;
    this.socket.addEventListener('open', () => {
      isOpened = true;
      listener.opened();
    });
    this.socket.addEventListener('message', ({ data }) => {
      const frame = parse(data);
      if (frame !== null) listener.frame(frame);
    });
    this.socket.addEventListener('close', ({ code, reason }) => listener.closed(code, reason));
    this.socket.addEventListener('error', () => {
      // Not every WebSocket says `close` when it could not connect.
      if (!isOpened) listener.closed(NO_CODE, 'There is no connection.');
    });
  }

  send(frame: CommandFrame): void {
    if (this.socket.readyState === OPEN) this.socket.send(JSON.stringify(frame));
  }

  close(): void {
    if (this.socket.readyState === CLOSING) this.socket.terminate?.();
    else this.socket.close(NORMAL_CLOSE);
  }
}

/** Reads a frame; null for what is none. */
function parse(text: unknown): ServerFrame | null {
  try {
    const frame: unknown = JSON.parse(String(text));
    return typeof frame === 'object' ? (frame as ServerFrame) : null;
  } catch {
    return null;
  }
}
