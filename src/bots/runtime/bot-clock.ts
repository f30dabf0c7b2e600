import { Injectable } from '@nestjs/common';

/** The time that bots go by; tests provide one that they advance. */
@Injectable()
export class BotClock {
  /** Milliseconds since 1970. */
  now(): number {
    return Date.now();
  }

  /** Has something done after a while; gives what calls it off. */
  after(ms: number, run: () => void): () => void {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  }
}

/** Waits for something, but no longer than this. */
export async function within(ms: number, work: Promise<void>, clock: BotClock): Promise<void> {
  let cancel: (() => void) | undefined;
  const timeUp = new Promise<void>((resolve) => (cancel = clock.after(ms, resolve)));
  try {
    await Promise.race([work, timeUp]);
  } finally {
    cancel?.();
  }
}
