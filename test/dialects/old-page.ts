import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

import { eventually } from '../support/eventually.js';

const require = createRequire(import.meta.url);

/**
 * The client libraries of the old programs, by the names under which they are installed.
 *
 * 1.3.6 of livechat runs in browsers only, and is tried there; 2.2.0 speaks as it does.
 */
export const CLIENTS = {
  livechat: 'socket.io-client-2.2.0',
  rooms: 'socket.io-client-4.0.1',
  'simple-chat': 'socket.io-client-3.1.1',
  'realtime-chat': 'socket.io-client-2.2.0',
  broadcast: 'socket.io-client',
} as const;

export type Program = keyof typeof CLIENTS;

/** What the pages of the old programs listen to. */
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

/** The page of an old program: its client library, and all that it heard. */
export class OldPage {
  readonly heard: Received[] = [];
  private taken = 0;

  private constructor(readonly socket: Socket) {
    for (const event of EVENTS) socket.on(event, (data) => this.heard.push({ event, data }));
  }

  /** Opens the page of a program, with the transports of its library or those that are named. */
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
    await eventually(() => page.socket.connected, `${program} connected`);
    return page;
  }

  /** Emits an event, without data if there is none. */
  post(event: string, ...data: unknown[]): void {
    this.socket.emit(event, ...data);
  }

  /** Waits for the next event, which must be this one; gives its payload. */
  async next(event: string): Promise<unknown> {
    await eventually(() => this.heard.length > this.taken, `the next event, ${event}`);
    const received = this.heard[this.taken++];
    assert.equal(received?.event, event, `unexpected: ${JSON.stringify(received)}`);
    return received?.data;
  }

  /** Gives what was heard and not taken by {@link next} yet. */
  rest(): readonly Received[] {
    const rest = this.heard.slice(this.taken);
    this.taken = this.heard.length;
    return rest;
  }

  /** Waits until the server has ended the connection. */
  async ended(who = 'the page'): Promise<void> {
    await eventually(() => !this.socket.connected, `the end of ${who}`);
  }

  /** Goes away. */
  close(): void {
    this.socket.close();
  }
}
