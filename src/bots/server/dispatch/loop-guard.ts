/** Maximum length of a chain of bot messages that trigger each other (P-13.7). */
export const MAX_HOPS = 4;
const EVENTS = 20;
/** Minimum number of events in each direction that make a loop. */
const EVENTS_EACH_WAY = 5;
const WINDOW_MS = 60_000;
const MUTE_MS = 60_000;
/** Number of pairs at which expired ones are removed. */
const SWEEP_AT = 1_000;

interface Pair {
  passed: { readonly to: string; readonly at: number }[];
  mutedUntil: number;
}

/** Mutes two bots that keep triggering each other in a room (P-13.7). */
export class LoopGuard {
  private readonly pairs = new Map<string, Pair>();
  private sweepAt = SWEEP_AT;

  /**
   * Counts an event of the bot `from` for the bot `to`; returns whether it may pass.
   *
   * `at` is the time of the event, so that events a bot missed count as they would have then.
   */
  pass(room: string, to: string, from: string, at: number): 'yes' | 'no' | 'muted now' {
    const key = [room, ...[to, from].sort()].join(' ');
    const pair = this.pairs.get(key) ?? { passed: [], mutedUntil: 0 };
    if (!this.pairs.has(key)) this.add(key, pair, at);
    if (at < pair.mutedUntil) return 'no';
    pair.passed = [...pair.passed.filter((event) => at - event.at < WINDOW_MS), { to, at }];
    if (!isLoop(pair)) return 'yes';
    pair.passed = [];
    pair.mutedUntil = at + MUTE_MS;
    return 'muted now';
  }

  private add(key: string, pair: Pair, now: number): void {
    this.pairs.set(key, pair);
    if (this.pairs.size < this.sweepAt) return;
    for (const [old, { passed, mutedUntil }] of this.pairs) {
      const last = passed.at(-1)?.at ?? mutedUntil;
      if (old !== key && now - last >= WINDOW_MS) this.pairs.delete(old);
    }
    this.sweepAt = Math.max(SWEEP_AT, 2 * this.pairs.size);
  }
}

function isLoop({ passed }: Pair): boolean {
  const oneWay = passed.filter(({ to }) => to === passed[0]?.to).length;
  const eachWay = Math.min(oneWay, passed.length - oneWay);
  return passed.length > EVENTS && eachWay >= EVENTS_EACH_WAY;
}
