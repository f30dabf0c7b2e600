const FIRST_BYTES = 65_536;

/** Joins pieces in one buffer; millions of separate buffers would cost 100 bytes each. */
export class ByteWriter {
  private bytes = Buffer.allocUnsafe(FIRST_BYTES);
  private length = 0;

  add(...pieces: readonly Buffer[]): void {
    for (const piece of pieces) {
      const end = this.length + piece.length;
      if (end > this.bytes.length) this.grow(end);
      this.length += piece.copy(this.bytes, this.length);
    }
  }

  /** Returns all bytes added so far. */
  toBuffer(): Buffer {
    return this.bytes.subarray(0, this.length);
  }

  private grow(minBytes: number): void {
    const bytes = Buffer.allocUnsafe(Math.max(minBytes, 2 * this.bytes.length));
    this.bytes.copy(bytes, 0, 0, this.length);
    this.bytes = bytes;
  }
}
