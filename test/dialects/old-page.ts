import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

import { eventually } from '../support/eventually.js';

const require = createRequire(import.meta.url);

/**
 * The client libraries of the dialects, by the names of their packages.
 *
 * Version 1.3.6 of livechat runs only in browsers and is tested there; 2.2.0 uses the same protocol.
 */
export const CLIENTS = {
  livechat: 'socket.io-client-2.2.0',
  rooms: 'socket.io-client-4.0.1',
  'simple-chat': 'socket.io-client-3.1.1',
  'realtime-chat': 'socket.io-client-2.2.0',
  broadcast: 'socket.io-client',
} as const;

export type Program = keyof typeof CLIENTS;

/** Events that the legacy pages listen to. */
const EVENTS = [
  ...['show-msg', 'show-all-msgs', 'join', 'leave', 'chat', 'message', 'message receive'],
  ...['custom_response', 'error'],
];

interface Socket {
  readonly id: string;
  readonly connected: boolean;
  on(event: string, listener: (data?: unknown) => void): void;
  emit(event: string, ...data: unknown[]): void;
  close(): void;
}

interface Received {
  readonly event: string;
  readonly data: unknown;
}

/** A legacy page: its client library and all events that it received. */
export class OldPage {
  readonly heard: Received[] = [];
  private readCount = 0;

  private constructor(readonly socket: Socket) {
    for (const event of EVENTS) socket.on(event, (data) => this.heard.push({ event, data }));
  }

  /** Connects as the page of a dialect, with the default transports of its library or the given ones. */
  static async open(
    url: string,
    program: Program,
    transports?: readonly string[],
    extraHeaders: Readonly<Record<string, string>> = {},
  ): Promise<OldPage> {
    const io = require(CLIENTS[program]) as (url: string, options: object) => Socket;
    const options = transports === undefined ? {} : { transports };
    const page = new OldPage(
      io(url, { forceNew: true, reconnection: false, extraHeaders, ...options }),
    );
    await eventually(() => page.socket.connected, `the connection of ${program}`);
    return page;
  }

  /** Emits an event. */
  post(event: string, ...data: unknown[]): void {
    this.socket.emit(event, ...data);
  }

  /** Waits for the next event, asserts its name, and returns its payload. */
  async next(event: string): Promise<unknown> {
    await eventually(() => this.heard.length > this.readCount, `the next event, ${event}`);
    const received = this.heard[this.readCount++];
    assert.equal(received?.event, event, `unexpected: ${JSON.stringify(received)}`);
    return received?.data;
  }

  /** Returns the events that {@link next} has not returned yet. */
  rest(): readonly Received[] {
    const rest = this.heard.slice(this.readCount);
    this.readCount = this.heard.length;
    return rest;
  }

  /** Waits until the server closes the connection. */
  async ended(what = 'the page'): Promise<void> {
    await eventually(() => !this.socket.connected, `the end of ${what}`);
  }

  /** Closes the connection. */
  close(): void {
    this.socket.close();
  }
}
