import type { Encoding, Link, Prepared } from '../chat/transport.js';
import type { Outcome } from '../protocol/frames.js';
import type { RoomCut, User } from '../protocol/models.js';
import type { Ask, Dialect, Emit, Listener } from './dialect.js';
import type { DialectEncoding, JoinedForeign, PreparedForeign } from './dialect-encoding.js';

/** What a connection speaks once it has declared itself. */
export interface Speech {
  readonly dialect: Dialect;
  readonly encoding: DialectEncoding;
  /** Has the connection send commands. */
  readonly ask: (asks: readonly Ask[]) => void;
  readonly findPeer: (name: string) => string | null;
}

/**
 * A link that the core takes for one of ours, whatever its client speaks.
 *
 * Until the client declares itself it passes everything on. While the commands of one foreign
 * event are at work events wait here, so that they come after what those are answered with.
 */
export class DialectLink implements Link, Listener<unknown> {
  user: User | null = null;
  readonly rooms = new Map<string, string>();
  state: unknown = null;
  /** Position of the public room up to which an observer has heard all; later that is left out. */
  heardUpTo = { room: '', seq: 0 };
  private speech: Speech | null = null;
  private isHeld = false;
  private isPaused = false;
  private isReadingHeld = false;
  private waiting: PreparedForeign[] = [];
  private waitingBytes = 0;

  constructor(private readonly inner: Link) {}

  get id(): string {
    return this.inner.id;
  }

  get encoding(): Encoding {
    return this.speech?.encoding ?? this.inner.encoding;
  }

  /** How foreign events are put on the wire. */
  get wire(): Encoding {
    return this.inner.encoding;
  }

  get heartbeat(): Link['heartbeat'] {
    return this.inner.heartbeat;
  }

  get bufferedBytes(): number {
    return this.inner.bufferedBytes + this.waitingBytes;
  }

  get pausable(): boolean {
    return this.inner.pausable;
  }

  get dialect(): Dialect | null {
    return this.speech?.dialect ?? null;
  }

  /** Speaks a dialect from now on. */
  speak(speech: Speech): void {
    this.speech = speech;
    this.state = speech.dialect.begin();
  }

  findPeer(name: string): string | null {
    return this.speech?.findPeer(name) ?? null;
  }

  push(prepared: Prepared): void {
    if (this.speech === null || !isForeign(prepared)) {
      this.inner.push(prepared);
      return;
    }
    for (const one of 'list' in prepared ? prepared.list : [prepared]) this.take(one, this.speech);
  }

  /** Lets events wait until {@link release}. */
  hold(): void {
    this.isHeld = true;
  }

  /** Lets the events that wait go. */
  release(): void {
    this.isHeld = false;
    this.flush();
  }

  pause(): void {
    this.isPaused = true;
    this.inner.pause();
  }

  resume(): void {
    this.isPaused = false;
    if (!this.isReadingHeld) this.inner.resume();
  }

  /** Stops reading, or goes on with it, whatever the core does besides. */
  holdReading(isHeld: boolean): void {
    this.isReadingHeld = isHeld;
    if (isHeld) this.inner.pause();
    else if (!this.isPaused) this.inner.resume();
  }

  /** Notes what a command of the connection has changed. */
  note({ ask, data }: Ask, outcome: Outcome): void {
    if (!outcome.ok) return;
    if (ask === 'hello' || ask === 'user.update') {
      this.user = (outcome.data as { user: User }).user;
    } else if (ask === 'room.join' || ask === 'dm.open') {
      const { room, info } = outcome.data as RoomCut;
      this.rooms.set(room, info.title);
    } else if (ask === 'room.leave') {
      this.rooms.delete(data['room'] as string);
    }
  }

  pingByFrames(): boolean {
    return this.inner.pingByFrames();
  }

  admitFrames(bytes: number): void {
    this.inner.admitFrames?.(bytes);
  }

  close(code: number, reason: string): void {
    this.waiting = [];
    this.waitingBytes = 0;
    this.inner.close(code, reason);
  }

  private take(prepared: PreparedForeign, { ask }: Speech): void {
    if (this.isHeard(prepared)) return;
    this.follow(prepared);
    if (prepared.asks.length > 0) ask(prepared.asks);
    if (prepared.parts.length === 0) return;
    if (!this.isHeld && this.waiting.length === 0 && prepared.ready === null) {
      this.send(prepared);
      return;
    }
    this.waiting.push(prepared);
    this.waitingBytes += prepared.bytes;
    if (this.waiting.length === 1) this.flush();
  }

  private isHeard({ room, seq }: PreparedForeign): boolean {
    return room === this.heardUpTo.room && seq > 0 && seq <= this.heardUpTo.seq;
  }

  /** Notes that the user has been taken out of a room. */
  private follow({ event, room, userId }: PreparedForeign): void {
    if (event !== 'member.left' || room === undefined || userId !== this.user?.id) return;
    this.rooms.delete(room);
  }

  /** Sends what waits, up to what is not ready; that goes on from there. */
  private flush(): void {
    while (!this.isHeld) {
      const [first] = this.waiting;
      if (first === undefined) return;
      if (first.ready !== null) {
        void first.ready.then(() => this.flush());
        return;
      }
      this.waiting.shift();
      this.waitingBytes -= first.bytes;
      this.send(first);
    }
  }

  private send({ parts }: PreparedForeign): void {
    for (const { emit, prepared } of parts) {
      if (this.speech?.encoding.isFor(emit, this) !== true) continue;
      const ready = emit.each === undefined ? prepared : this.prepareEach(emit);
      if (ready !== null) this.inner.push(ready);
    }
  }

  /** Prepares what this connection alone gets; null if that is nothing. */
  prepareEach(emit: Emit<unknown>): Prepared | null {
    return this.speech?.encoding.prepareFor(emit, this) ?? null;
  }
}

function isForeign(prepared: Prepared): prepared is PreparedForeign | JoinedForeign {
  return 'parts' in prepared || 'list' in prepared;
}
