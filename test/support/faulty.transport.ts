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

/** The method of a link that throws. */
export type Fault = 'prepare' | 'push' | 'bufferedBytes' | 'reply' | 'close' | 'resume';

interface Named extends Prepared {
  readonly events: readonly string[];
}

/** A link whose methods throw on request, for one event or for all. */
export class FaultyLink implements Link {
  readonly id = randomUUID();
  readonly heartbeat = { intervalMs: 0, timeoutMs: 0 };
  readonly pausable = true;
  /** Names of the events that were pushed. */
  readonly events: string[] = [];
  closedAs: number | undefined;
  sink: Sink | undefined;
  readonly encoding: Encoding = {
    name: `faulty ${this.id}`,
    prepare: (event): Named => {
      this.throwIfFaulty('prepare', event);
      return { events: [event], bytes: event.length };
    },
    join: (prepared): Named => {
      return { events: (prepared as readonly Named[]).flatMap(({ events }) => events), bytes: 0 };
    },
  };
  private readonly faults = new Map<Fault, string | undefined>();

  get bufferedBytes(): number {
    this.throwIfFaulty('bufferedBytes');
    return 0;
  }

  /** Makes a method throw from now on; `event` limits that to events with a name. */
  injectFault(fault: Fault, event?: string): void {
    this.faults.set(fault, event);
  }

  /** Sends a command; resolves to its outcome, if there is one. */
  call(name: string, data: object): Promise<Outcome> {
    return new Promise((resolve) => {
      const reply = (outcome: Outcome) => {
        this.throwIfFaulty('reply');
        resolve(outcome);
      };
      this.sink?.command({ name, data, reply });
    });
  }

  push(prepared: Prepared): void {
    for (const event of (prepared as Named).events) {
      this.throwIfFaulty('push', event);
      this.events.push(event);
    }
  }

  pause(): void {}

  resume(): void {
    this.throwIfFaulty('resume');
  }

  pingByFrames(): boolean {
    return false;
  }

  close(code: number, reason: string): void {
    this.closedAs = code;
    this.throwIfFaulty('close');
    this.sink?.closed(code, reason);
  }

  private throwIfFaulty(fault: Fault, event?: string): void {
    if (!this.faults.has(fault)) return;
    const only = this.faults.get(fault);
    if (only === undefined || only === event) throw new Error(`a transport with a fault: ${fault}`);
  }
}

/** Path at which every request and upgrade makes the transport throw. */
export const FAULTY_PATH = '/faulty';

/** A transport that breaks the rule never to throw. */
export class FaultyTransport implements ChatTransport {
  readonly name = 'faulty';
  private host: TransportHost | undefined;

  attach(host: TransportHost): void {
    this.host = host;
    const fail = (): never => {
      throw new Error('a transport with a fault: request');
    };
    host.claimUpgrade((path) => path === FAULTY_PATH, fail);
    host.claimRequests((path) => path === FAULTY_PATH, fail);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** Opens a connection without faults. */
  connect(): FaultyLink {
    const link = new FaultyLink();
    const handshake = { headers: {}, url: '', remoteAddress: '127.0.0.1' };
    link.sink = this.host?.accept(link, handshake);
    return link;
  }
}
