export const Opcode = { text: 1, close: 8, ping: 9, pong: 10 };

const MASK = Buffer.from([0x5a, 0xc3, 0x17, 0x9e]);

/**
 * Encodes a payload as one frame of a client: final and masked.
 *
 * @param {number} opcode
 * @param {Buffer} payload
 */
export function encodeFrame(opcode, payload) {
  const size = payload.length;
  const head = size < 126 ? 6 : 8;
  if (size > 0xffff) throw new Error('The load generator sends small frames only.');
  const frame = Buffer.allocUnsafe(head + size);
  frame[0] = 0x80 | opcode;
  frame[1] = 0x80 | (size < 126 ? size : 126);
  if (size >= 126) frame.writeUInt16BE(size, 2);
  MASK.copy(frame, head - 4);
  for (let i = 0; i < size; i++) frame[head + i] = payload[i] ^ MASK[i & 3];
  return frame;
}

/**
 * Splits a TCP stream into frames and passes each on as soon as enough bytes are available.
 *
 * A thousand of these share one core with the senders, so a frame that is only counted is not
 * copied, and only its first bytes are read.
 */
export class FrameSplitter {
  /** Bytes of a text frame to wait for before it is passed on. */
  wanted = Infinity;
  /** @type {Buffer | null} */
  #rest = null;
  #skip = 0;

  /** @param {(opcode: number, data: Buffer, start: number, size: number) => void} onFrame */
  constructor(onFrame) {
    this.onFrame = onFrame;
  }

  /** @param {Buffer} chunk bytes that may be overwritten after the call */
  push(chunk) {
    const data = this.#rest === null ? chunk : Buffer.concat([this.#rest, chunk]);
    this.#rest = null;
    let at = this.#skip;
    while (at < data.length) {
      const next = this.#readFrame(data, at);
      if (next === -1) break;
      at = next;
    }
    this.#skip = Math.max(0, at - data.length);
    if (at < data.length) this.#rest = Buffer.from(data.subarray(at));
  }

  /**
   * @param {Buffer} data
   * @param {number} at
   * @returns {number} start of the next frame; -1 if more bytes are needed
   */
  #readFrame(data, at) {
    const left = data.length - at;
    if (left < 2) return -1;
    const opcode = data[at] & 0x0f;
    let size = data[at + 1] & 0x7f;
    let head = 2;
    if (size === 126) {
      if (left < 4) return -1;
      size = data.readUInt16BE(at + 2);
      head = 4;
    } else if (size === 127) {
      if (left < 10) return -1;
      size = Number(data.readBigUInt64BE(at + 2));
      head = 10;
    }
    const wanted = opcode >= Opcode.close ? size : Math.min(size, this.wanted);
    if (left - head < wanted) return -1;
    this.onFrame(opcode, data, at + head, size);
    return at + head + size;
  }
}
