import type { Duplex } from 'node:stream';

/** Bytes that are written at once: a system call costs little compared with so many bytes. */
const FULL_BYTES = 65_536;

let pending: TurnWriter[] = [];

/**
 * Gathers the frames for one socket in one turn of the event loop into one write.
 *
 * For a small frame, the system call costs more than anything else.
 */
export class TurnWriter {
  private first: Buffer | null = null;
  private others: Buffer[] | null = null;
  private addedBytes = 0;

  constructor(private readonly socket: Duplex) {}

  /** Bytes that the kernel has not accepted yet, including those of this turn. */
  get bufferedBytes(): number {
    return this.addedBytes + this.socket.writableLength;
  }

  /** Adds a frame, to be written at the end of this turn. */
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

  /** Writes the added frames at once, so that other bytes can follow them. */
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
