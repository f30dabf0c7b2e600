import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

const COMMAND = 0;
const IDLE = 0;
/** Never changes, so that a wait for it ends at its time limit. */
const NEVER = 1;

/**
 * A timer that is precise to a tenth of a millisecond and needs no CPU time while it waits.
 *
 * The timers of Node.js are due on whole milliseconds, so a thread waits instead.
 */
export class Alarm {
  #shared = new Int32Array(new SharedArrayBuffer(8));
  #thread = new Worker(new URL(import.meta.url), { workerData: this.#shared });

  /** @param {() => void} ring called when the time is up */
  constructor(ring) {
    this.#thread.on('message', ring);
  }

  /**
   * Sets the time; only after the alarm has rung or if it has never been set.
   *
   * @param {number} ms
   */
  set(ms) {
    // Microseconds; a wait of 0 would mean that no time is set.
    Atomics.store(this.#shared, COMMAND, Math.max(1, Math.round(ms * 1_000)));
    Atomics.notify(this.#shared, COMMAND);
  }
}

if (!isMainThread) ringOnTime(workerData);

/** @param {Int32Array<SharedArrayBuffer>} shared */
function ringOnTime(shared) {
  for (;;) {
    Atomics.wait(shared, COMMAND, IDLE);
    const microseconds = Atomics.exchange(shared, COMMAND, IDLE);
    Atomics.wait(shared, NEVER, 0, microseconds / 1_000);
    parentPort?.postMessage(null);
  }
}
