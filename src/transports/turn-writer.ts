import type { Duplex } from 'node:stream';

let pending: TurnWriter[] = [];

/**
 * Gathers the frames that a socket is sent in one turn of the event loop into one write.
 *
 * A system call costs more than anything else on the way of a small frame.
 */
export class TurnWriter {
  private first: Buffer | null = null;
  private others: Buffer[] | null = null;

  constructor(private readonly socket: Duplex) {}

  /** Bytes that the kernel has not taken; what was added in this turn does not count yet. */
  get bufferedBytes(): number {
    return this.socket.writableLength;
  }

  /** Adds a frame to what leaves at the end of this turn. */
  add(frame: Buffer): void {
    if (this.first === null) {
      this.first = frame;
      if (pending.push(this) === 1) setImmediate(flushAll);
    } else {
      (this.others ??= []).push(frame);
    }
  }

  /** Writes at once what was added, so that something else can follow it. */
  flush(): void {
    const { first, others } = this;
    if (first === null) return;
    this.first = null;
    this.others = null;
    if (!this.socket.writable) return;
    this.socket.write(others === null ? first : Buffer.concat([first, ...others]));
  }
}

function flushAll(): void {
  const writers = pending;
  pending = [];
  for (const writer of writers) writer.flush();
}
