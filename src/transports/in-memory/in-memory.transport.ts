import { randomUUID } from 'node:crypto';

import { Injectable } from '@nestjs/common';

import type { ChatTransport, TransportHost } from '../../chat/connections/transport.js';
import { InMemoryLink, type FrameListener } from './in-memory.link.js';

/** The client's end of an in-memory connection. */
export interface InMemoryConnection {
  /** Sends a copy of a frame to the server. */
  send(frame: unknown): void;
  /** Closes the connection. */
  close(): void;
}

/** The protocol without a network, for bots and tests in the same process (P-10.4). */
@Injectable()
export class InMemoryTransport implements ChatTransport {
  readonly name = 'in-memory';
  private readonly links = new Set<InMemoryLink>();
  private host: TransportHost | undefined;

  attach(host: TransportHost): void {
    this.host = host;
  }

  close(): Promise<void> {
    for (const link of this.links) link.end(1001, 'the server has stopped');
    return Promise.resolve();
  }

  /**
   * Opens a connection; `hello` is the data of a shorthand `hello` (P-2.10).
   *
   * The listener receives frozen frames, because all connections share them.
   */
  connect(listener: FrameListener, hello?: unknown): InMemoryConnection {
    if (this.host === undefined) throw new Error('The in-memory transport is not attached yet.');
    const link = new InMemoryLink(randomUUID(), listener, this.host.limits.frameBytes);
    this.links.add(link);
    link.onEnd = () => this.links.delete(link);
    link.sink = this.host.accept(link, {
      headers: {},
      url: 'memory:',
      remoteAddress: '127.0.0.1',
      ...(hello === undefined ? {} : { hello }),
    });
    return {
      send: (frame) => link.receive(frame),
      close: () => link.end(1000, 'the client closed'),
    };
  }
}
