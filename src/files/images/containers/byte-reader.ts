/** Reads numbers and texts in sequence; throws `RangeError` past the end. */
export class ByteReader {
  constructor(
    readonly bytes: Buffer,
    public at = 0,
  ) {}

  get isAtEnd(): boolean {
    return this.at >= this.bytes.length;
  }

  /** Reads a big-endian unsigned number of 0 to 8 bytes. */
  number(size: number): number {
    let value = 0;
    for (const byte of this.read(size)) value = value * 256 + byte;
    return value;
  }

  text(size: number): string {
    return this.read(size).toString('latin1');
  }

  read(size: number): Buffer {
    const end = this.at + size;
    if (end > this.bytes.length) throw new RangeError('The bytes end too early');
    const bytes = this.bytes.subarray(this.at, end);
    this.at = end;
    return bytes;
  }
}
