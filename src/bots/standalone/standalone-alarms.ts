import type { BotClock } from '../kit/bot-clock.js';
import type { AlarmEvent } from '../kit/bot-event.js';

/** Alarms that have arrived and are not handled; the server sends them again (P-13.13). */
export class StandaloneAlarms {
  private readonly known = new Set<string>();
  /** Cancels the timers of postponed alarms. */
  private readonly postponed = new Map<string, () => void>();

  constructor(private readonly clock: BotClock) {}

  /** Adds an alarm; returns false if it is known. */
  add(alarm: AlarmEvent): boolean {
    const id = idOf(alarm);
    if (this.known.has(id)) return false;
    this.known.add(id);
    return true;
  }

  /** Removes an alarm that was handled, or that the server has to send again. */
  remove(alarm: AlarmEvent): void {
    this.known.delete(idOf(alarm));
  }

  /** Calls `fire` at a later time. */
  postpone(alarm: AlarmEvent, until: number, fire: () => void): void {
    const id = idOf(alarm);
    const due = () => {
      this.postponed.delete(id);
      fire();
    };
    const ms = until - this.clock.now();
    this.postponed.set(id, this.clock.after(ms, due, { background: true }));
  }

  /** Cancels all postponed alarms. */
  stop(): void {
    for (const cancel of this.postponed.values()) cancel();
    this.postponed.clear();
  }
}

function idOf({ data: { room, key, at } }: AlarmEvent): string {
  return JSON.stringify([room, key, at]);
}
