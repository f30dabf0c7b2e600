import { performance } from 'node:perf_hooks';

const NO_COMPLAINT = 'nothing';
const TEXT_BYTES = 100;
const MARK = 0x7e;
const STAMP_DIGITS = 14;
const FILLING =
  'lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor ut '.repeat(2);

/** Makes the text of a message: it carries the time of sending and has 100 bytes. */
export function makeText() {
  const stamp = Math.round(performance.now() * 1000)
    .toString()
    .padStart(STAMP_DIGITS, '0');
  return `~${stamp}~${FILLING}`.slice(0, TEXT_BYTES);
}

/** What all connections of the crowd counted together. */
export class Tally {
  sent = 0;
  acked = 0;
  refused = 0;
  delivered = 0;
  lost = 0;
  /** First thing that the server said against us. */
  complaint = NO_COMPLAINT;
  /** @type {{ sentAt: number, took: number }[]} in milliseconds */
  latencies = [];

  reset() {
    this.sent = 0;
    this.acked = 0;
    this.refused = 0;
    this.delivered = 0;
    this.latencies = [];
    this.complaint = NO_COMPLAINT;
  }

  /** @param {string} reply */
  refuse(reply) {
    this.refused++;
    this.complain(reply);
  }

  /** @param {string} text */
  complain(text) {
    if (this.complaint === NO_COMPLAINT) this.complaint = text.slice(0, 300);
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
