import type { Encoding, Link, Prepared } from '../chat/connections/transport.js';
import type { Outcome } from '../protocol/frames.js';
import type { RoomCut, User } from '../protocol/models.js';
import type { CommandStep, Dialect, EmitStep, DialectConnection } from './dialect.js';
import type { DialectEncoding, TranslatedBatch, TranslatedEvent } from './dialect-encoding.js';

/** The dialect of a connection, with the functions that it needs. */
export interface DialectBinding {
  readonly dialect: Dialect;
  readonly encoding: DialectEncoding;
  readonly sendCommands: (steps: readonly CommandStep[]) => void;
  readonly findPeer: (name: string) => string | null;
}

/**
 * Wraps the link of a client that may speak a dialect; the core treats it like any other link.
 *
 * It forwards everything until the client declares a dialect. Events are held while the commands
 * of one client event run, so that the client receives its reply first.
 */
export class DialectLink implements Link, DialectConnection<unknown> {
  user: User | null = null;
  readonly rooms = new Map<string, string>();
  state: unknown = null;
  hearsDefaultRoom = false;
  /** Room and position up to which the client has received all events; they are not sent again. */
  sentUpTo = { room: '', seq: 0 };
  private binding: DialectBinding | null = null;
  private isHeld = false;
  private isPaused = false;
  private isReadingHeld = false;
  private queue: TranslatedEvent[] = [];
  private queuedBytes = 0;

  constructor(private readonly inner: Link) {}

  get id(): string {
    return this.inner.id;
  }

  get encoding(): Encoding {
    return this.binding?.encoding ?? this.inner.encoding;
  }

  /** Encoding of dialect events. */
  get innerEncoding(): Encoding {
    return this.inner.encoding;
  }

  get heartbeat(): Link['heartbeat'] {
    return this.inner.heartbeat;
  }

  get bufferedBytes(): number {
    return this.inner.bufferedBytes + this.queuedBytes;
  }

  get pausable(): boolean {
    return this.inner.pausable;
  }

  get dialect(): Dialect | null {
    return this.binding?.dialect ?? null;
  }

  /** Starts to translate events to a dialect. */
  bind(binding: DialectBinding): void {
    this.binding = binding;
    this.state = binding.dialect.begin();
  }

  findPeer(name: string): string | null {
    return this.binding?.findPeer(name) ?? null;
  }

  push(prepared: Prepared): void {
    if (this.binding === null || !isTranslated(prepared)) {
      this.inner.push(prepared);
      return;
    }
    const { binding } = this;
    for (const one of 'list' in prepared ? prepared.list : [prepared]) this.deliver(one, binding);
  }

  /** Skips events of a room up to a position that the client received as history. */
  skipUpTo(room: string, seq: number): void {
    this.sentUpTo = { room, seq };
    this.queue = this.queue.filter((one) => !this.isAlreadySent(one));
    this.queuedBytes = this.queue.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Holds events back until {@link release}. */
  hold(): void {
    this.isHeld = true;
  }

  /** Sends the events that were held back. */
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

  /** Pauses or resumes reading, independently of {@link pause} and {@link resume}. */
  holdReading(isHeld: boolean): void {
    this.isReadingHeld = isHeld;
    if (isHeld) this.inner.pause();
    else if (!this.isPaused) this.inner.resume();
  }

  /** Updates the user and rooms after a command of the connection. */
  applyOutcome({ ask, data }: CommandStep, outcome: Outcome): void {
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
    this.queue = [];
    this.queuedBytes = 0;
    this.inner.close(code, reason);
  }

  private deliver(prepared: TranslatedEvent, { sendCommands }: DialectBinding): void {
    if (this.isAlreadySent(prepared)) return;
    this.trackRemoval(prepared);
    if (prepared.commands.length > 0) sendCommands(prepared.commands);
    if (prepared.parts.length === 0) return;
    if (!this.isHeld && this.queue.length === 0 && prepared.ready === null) {
      this.send(prepared);
      return;
    }
    this.queue.push(prepared);
    this.queuedBytes += prepared.bytes;
    if (this.queue.length === 1) this.flush();
  }

  private isAlreadySent({ room, seq }: TranslatedEvent): boolean {
    return room === this.sentUpTo.room && seq > 0 && seq <= this.sentUpTo.seq;
  }

  /** Forgets a room that the user was removed from. */
  private trackRemoval({ event, room, userId }: TranslatedEvent): void {
    if (event !== 'member.left' || room === undefined || userId !== this.user?.id) return;
    this.rooms.delete(room);
  }

  /** Sends queued events up to the first one that is not ready, and continues once it is. */
  private flush(): void {
    while (!this.isHeld) {
      const [first] = this.queue;
      if (first === undefined) return;
      if (first.ready !== null) {
        void first.ready.then(() => this.flush());
        return;
      }
      this.queue.shift();
      this.queuedBytes -= first.bytes;
      this.send(first);
    }
  }

  private send({ parts }: TranslatedEvent): void {
    for (const { emit, prepared } of parts) {
      if (this.binding?.encoding.isFor(emit, this) !== true) continue;
      const ready = emit.each === undefined ? prepared : this.prepareEach(emit);
      if (ready !== null) this.inner.push(ready);
    }
  }

  /** Prepares an event for this connection only; null if there is nothing to send. */
  prepareEach(emit: EmitStep<unknown>): Prepared | null {
    return this.binding?.encoding.prepareFor(emit, this) ?? null;
  }
}

function isTranslated(prepared: Prepared): prepared is TranslatedEvent | TranslatedBatch {
  return 'parts' in prepared || 'list' in prepared;
}
