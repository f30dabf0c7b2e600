/** Messages of bots that led to each other, after which no bot is given the next (P-13.7). */
export const MAX_HOPS = 4;
const EVENTS = 20;
const WINDOW_MS = 60_000;
const MUTE_MS = 60_000;

interface Pair {
  times: number[];
  mutedUntil: number;
}

/** Mutes two bots that keep each other going in a room (P-13.7). */
export class LoopGuard {
  private readonly pairs = new Map<string, Pair>();

  /** Counts an event of one bot for another; tells whether it may pass. */
  pass(room: string, one: string, other: string, now = Date.now()): 'yes' | 'no' | 'muted now' {
    const key = [room, ...[one, other].sort()].join(' ');
    const pair = this.pairs.get(key) ?? { times: [], mutedUntil: 0 };
    this.pairs.set(key, pair);
    if (now < pair.mutedUntil) return 'no';
    pair.times = [...pair.times.filter((at) => now - at < WINDOW_MS), now];
    if (pair.times.length <= EVENTS) return 'yes';
    pair.times = [];
    pair.mutedUntil = now + MUTE_MS;
    return 'muted now';
  }
}
