import type { BotClock } from '../runtime/bot-clock.js';
import type { AlarmEvent } from '../runtime/bot-event.js';

/** Alarms that rang here and are not dealt with; the server has them ring again (P-13.13). */
export class RemoteAlarms {
  private readonly known = new Set<string>();
  /** What calls off those that are postponed. */
  private readonly postponed = new Map<string, () => void>();

  constructor(private readonly clock: BotClock) {}

  /** Takes an alarm; false if it is here already. */
  take(alarm: AlarmEvent): boolean {
    const id = idOf(alarm);
    if (this.known.has(id)) return false;
    this.known.add(id);
    return true;
  }

  /** Notes that an alarm was dealt with, or could not be: then the server rings again. */
  leave(alarm: AlarmEvent): void {
    this.known.delete(idOf(alarm));
  }

  /** Has an alarm ring later. */
  postpone(alarm: AlarmEvent, until: number, ring: () => void): void {
    const id = idOf(alarm);
    const due = () => {
      this.postponed.delete(id);
      ring();
    };
    this.postponed.set(id, this.clock.after(until - this.clock.now(), due));
  }

  /** Counts the alarms that ring later. */
  countPostponed(): number {
    return this.postponed.size;
  }

  /** Calls off what was postponed. */
  stop(): void {
    for (const cancel of this.postponed.values()) cancel();
    this.postponed.clear();
  }
}

function idOf({ data: { room, key, at } }: AlarmEvent): string {
  return JSON.stringify([room, key, at]);
}
