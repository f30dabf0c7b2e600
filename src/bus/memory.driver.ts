import type { BusDriver, BusSession, SessionEvents } from './bus-driver.js';
import { MAX_FRAME_BYTES } from './bus-driver.js';

interface MemorySession {
  readonly cluster: string;
  readonly subjects: Set<string>;
  readonly events: SessionEvents;
}

/** A service in the memory of this process, for tests and for several servers in one process. */
export class MemoryHub {
  private readonly sessions = new Set<MemorySession>();
  private isDown = false;
  private isMute = false;

  /** Returns a driver whose frames only the same cluster hears. */
  driver(cluster: string, options: { carriesEvents?: boolean; maxBytes?: number } = {}): BusDriver {
    const { carriesEvents = true, maxBytes = MAX_FRAME_BYTES } = options;
    return {
      address: 'memory:',
      secrets: [],
      carriesEvents,
      open: async (events) => {
        if (this.isDown) throw new Error('connection refused');
        return this.open(cluster, events, maxBytes);
      },
    };
  }

  /** Breaks all connections, and refuses new ones until {@link repair}. */
  cut(): void {
    this.isDown = true;
    for (const { events } of this.sessions) events.lost(new Error('connection reset'));
  }

  /** Swallows everything until {@link repair}, without breaking connections. */
  mute(): void {
    this.isMute = true;
  }

  /** Works again. */
  repair(): void {
    this.isDown = false;
    this.isMute = false;
  }

  private open(cluster: string, events: SessionEvents, maxBytes: number): BusSession {
    const session = { cluster, subjects: new Set<string>(), events };
    const leave = (): void => void this.sessions.delete(session);
    this.sessions.add(session);
    return {
      maxBytes,
      publish: (subject, bytes) => this.publish(cluster, subject, Uint8Array.from(bytes)),
      subscribe: async (subjects) => {
        for (const subject of subjects) session.subjects.add(subject);
      },
      unsubscribe: (subject) => void session.subjects.delete(subject),
      close: async () => leave(),
      abort: leave,
    };
  }

  private publish(cluster: string, subject: string, bytes: Uint8Array): boolean {
    if (this.isMute || this.isDown) return true;
    for (const session of this.sessions) {
      if (session.cluster !== cluster) continue;
      queueMicrotask(() => {
        if (session.subjects.has(subject)) session.events.message(subject, bytes);
      });
    }
    return true;
  }
}
