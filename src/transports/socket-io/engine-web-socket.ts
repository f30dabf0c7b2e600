import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

import { WebSocketServer, type WebSocket } from 'ws';

/** Maximum time from closing to the end of a connection; engine.io would wait 30 s or more. */
export const CLOSE_MS = 5_000;

/** The WebSocket of an engine.io transport, with the stream under it. */
export type StreamedWebSocket = WebSocket & { stream?: Duplex };

/** Sets the maximum message size of one WebSocket; ws has one limit per server. */
export function setMaxPayload(webSocket: StreamedWebSocket, bytes: number): void {
  const { _receiver: receiver } = webSocket as unknown as { _receiver: { _maxPayload: number } };
  receiver._maxPayload = bytes;
}

/**
 * Returns the WebSocket server class for engine.io.
 *
 * It limits fragments and the time to close, for which engine.io has no options. It also keeps the
 * stream of each WebSocket, because after an upgrade the request has another socket.
 */
export function webSocketServerFor(maxFragments: number): typeof WebSocketServer {
  return class extends WebSocketServer {
    constructor(options: ConstructorParameters<typeof WebSocketServer>[0]) {
      super({ ...options, maxFragments, closeTimeout: CLOSE_MS } as typeof options);
    }

    override handleUpgrade(
      request: IncomingMessage,
      stream: Duplex,
      head: Buffer,
      done: (webSocket: InstanceType<typeof WebSocket>, request: IncomingMessage) => void,
    ): void {
      super.handleUpgrade(request, stream, head, (webSocket) => {
        (webSocket as StreamedWebSocket).stream = stream;
        done(webSocket, request);
      });
    }
  } as typeof WebSocketServer;
}
