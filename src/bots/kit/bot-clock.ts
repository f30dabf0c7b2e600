import { Injectable } from '@nestjs/common';

/** How a timer of a {@link BotClock} behaves. */
export interface TimerOptions {
  /** A background timer does not keep the process alive; a test does not wait for it. */
  readonly background?: boolean;
}

/** The clock that bots use; tests provide one that they advance. */
@Injectable()
export class BotClock {
  /** Milliseconds since 1970. */
  now(): number {
    return Date.now();
  }

  /** Calls a function after a delay in milliseconds; returns a function that cancels this. */
  after(ms: number, run: () => void, { background = false }: TimerOptions = {}): () => void {
    const timer = setTimeout(run, ms);
    if (background) timer.unref();
    return () => clearTimeout(timer);
  }
}

/** Waits for work, but at most `ms` milliseconds. */
export async function within(ms: number, work: Promise<void>, clock: BotClock): Promise<void> {
  let cancel: (() => void) | undefined;
  const timeUp = new Promise<void>((resolve) => (cancel = clock.after(ms, resolve)));
  try {
    await Promise.race([work, timeUp]);
  } finally {
    cancel?.();
  }
}
