import type { Duplex } from 'node:stream';

/** Past this, one more write costs little beside what it sends, and tells how much is left over. */
const FULL_BYTES = 65_536;

let pending: TurnWriter[] = [];

/**
 * Gathers the frames that a socket is sent in one turn of the event loop into one write.
 *
 * A system call costs more than anything else on the way of a small frame.
 */
export class TurnWriter {
  private first: Buffer | null = null;
  private others: Buffer[] | null = null;
  private addedBytes = 0;

  constructor(private readonly socket: Duplex) {}

  /** Bytes that the kernel has not taken, those of this turn included. */
  get bufferedBytes(): number {
    return this.addedBytes + this.socket.writableLength;
  }

  /** Adds a frame to what leaves at the end of this turn. */
  add(frame: Buffer): void {
    if (this.first === null) {
      this.first = frame;
      if (pending.push(this) === 1) setImmediate(flushAll);
    } else {
      (this.others ??= []).push(frame);
    }
    this.addedBytes += frame.length;
    if (this.addedBytes >= FULL_BYTES) this.flush();
  }

  /** Writes at once what was added, so that something else can follow it. */
  flush(): void {
    const { first, others } = this;
    if (first === null) return;
    this.first = null;
    this.others = null;
    this.addedBytes = 0;
    if (!this.socket.writable) return;
    this.socket.write(others === null ? first : Buffer.concat([first, ...others]));
  }
}

function flushAll(): void {
  const writers = pending;
  pending = [];
  for (const writer of writers) writer.flush();
}
