/** Cancels a timer. */
export type Cancel = () => void;

/** The time of a bus; tests replace it. */
export interface BusClock {
  /** Returns the time in milliseconds since an arbitrary start. */
  now(): number;
  /** Runs a function once, after a time in milliseconds. */
  after(ms: number, run: () => void): Cancel;
  /** Runs a function periodically. */
  every(ms: number, run: () => void): Cancel;
}

/** The time of this machine. */
export const SYSTEM_CLOCK: BusClock = {
  now: () => performance.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
  every: (ms, run) => {
    const timer = setInterval(run, ms);
    return () => clearInterval(timer);
  },
};
