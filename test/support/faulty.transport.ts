import { randomUUID } from 'node:crypto';

import type {
  ChatTransport,
  Encoding,
  Link,
  Outcome,
  Prepared,
  Sink,
  TransportHost,
} from '#src/index.js';

/** What a transport may do wrong. */
export type Fault = 'prepare' | 'push' | 'bufferedBytes' | 'reply' | 'close' | 'resume';

interface Named extends Prepared {
  readonly events: readonly string[];
}

/** A connection over a transport that throws where it is told to, at an event or at any. */
export class FaultyLink implements Link {
  readonly id = randomUUID();
  readonly heartbeat = { intervalMs: 0, timeoutMs: 0 };
  readonly pausable = true;
  /** Names of the events that arrived. */
  readonly events: string[] = [];
  closedAs: number | undefined;
  sink: Sink | undefined;
  readonly encoding: Encoding = {
    name: `faulty ${this.id}`,
    prepare: (event): Named => {
      this.failAt('prepare', event);
      return { events: [event], bytes: event.length };
    },
    join: (prepared): Named => {
      return { events: (prepared as readonly Named[]).flatMap(({ events }) => events), bytes: 0 };
    },
  };
  private readonly faults = new Map<Fault, string | undefined>();

  get bufferedBytes(): number {
    this.failAt('bufferedBytes');
    return 0;
  }

  /** Has it throw from now on; where that is about events, at one of a name. */
  breakAt(fault: Fault, event?: string): void {
    this.faults.set(fault, event);
  }

  /** Sends a command; gives its outcome, if one comes. */
  call(name: string, data: object): Promise<Outcome> {
    return new Promise((resolve) => {
      const reply = (outcome: Outcome) => {
        this.failAt('reply');
        resolve(outcome);
      };
      this.sink?.command({ name, data, reply });
    });
  }

  push(prepared: Prepared): void {
    for (const event of (prepared as Named).events) {
      this.failAt('push', event);
      this.events.push(event);
    }
  }

  pause(): void {}

  resume(): void {
    this.failAt('resume');
  }

  pingByFrames(): boolean {
    return false;
  }

  close(code: number, reason: string): void {
    this.closedAs = code;
    this.failAt('close');
    this.sink?.closed(code, reason);
  }

  private failAt(fault: Fault, event?: string): void {
    if (!this.faults.has(fault)) return;
    const only = this.faults.get(fault);
    if (only === undefined || only === event) throw new Error(`a transport with a fault: ${fault}`);
  }
}

/** A transport that does not keep its word never to throw. */
export class FaultyTransport implements ChatTransport {
  readonly name = 'faulty';
  private host: TransportHost | undefined;

  attach(host: TransportHost): void {
    this.host = host;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** Opens a connection, which has no fault yet. */
  connect(): FaultyLink {
    const link = new FaultyLink();
    const handshake = { headers: {}, url: '', remoteAddress: '127.0.0.1' };
    link.sink = this.host?.accept(link, handshake);
    return link;
  }
}
