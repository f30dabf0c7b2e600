import { performance } from 'node:perf_hooks';

const NO_ERROR = 'nothing';
const TEXT_BYTES = 100;
const MARK = 0x7e;
const STAMP_DIGITS = 14;
const FILLING =
  'lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor ut '.repeat(2);

/** Creates a message text of 100 bytes that contains the time of sending. */
export function createText() {
  const stamp = Math.round(performance.now() * 1000)
    .toString()
    .padStart(STAMP_DIGITS, '0');
  return `~${stamp}~${FILLING}`.slice(0, TEXT_BYTES);
}

/** Counters shared by all connections of a crowd. */
export class Tally {
  sent = 0;
  acked = 0;
  refused = 0;
  delivered = 0;
  lost = 0;
  /** First error that the server reported. */
  firstError = NO_ERROR;
  /** @type {{ sentAt: number, took: number }[]} in milliseconds */
  latencies = [];

  reset() {
    this.sent = 0;
    this.acked = 0;
    this.refused = 0;
    this.delivered = 0;
    this.latencies = [];
    this.firstError = NO_ERROR;
  }

  /** @param {string} reply */
  refuse(reply) {
    this.refused++;
    this.noteError(reply);
  }

  /** @param {string} text */
  noteError(text) {
    if (this.firstError === NO_ERROR) this.firstError = text.slice(0, 300);
  }

  /**
   * @param {Buffer} data
   * @param {number} start
   * @param {number} size
   */
  sample(data, start, size) {
    const mark = data.indexOf(MARK, start);
    if (mark === -1 || mark >= start + size) return;
    const sentAt = Number(data.toString('latin1', mark + 1, mark + 1 + STAMP_DIGITS)) / 1000;
    this.latencies.push({ sentAt, took: performance.now() - sentAt });
  }
}
