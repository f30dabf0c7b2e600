import { Injectable, type OnModuleDestroy } from '@nestjs/common';

import { BotStates } from './bot-states.js';
import { BotClock } from '../../kit/bot-clock.js';
import type { AlarmEvent } from '../../kit/bot-event.js';
import type { StateChange } from '../../kit/bot-host.js';

/** Maximum delay of a timer of Node.js. */
const LONGEST_MS = 2_147_483_647;
const RETRY_MS = 60_000;
const MAX_TRIES = 5;

/** Handles a due alarm; called for the alarms of all bots. */
type DueListener = (botId: string, alarm: AlarmEvent) => void;

/** Fires the alarms that bots have set, including those from before a restart. */
@Injectable()
export class BotAlarmClock implements OnModuleDestroy {
  /** Cancels the timer of an alarm; by bot, room and key. */
  private readonly armed = new Map<string, () => void>();
  private readonly tries = new Map<string, number>();
  /** Alarms that changed during each read that is in progress. */
  private readonly readings = new Set<Set<string>>();
  private readonly listeners: DueListener[] = [];
  private isRunning = false;

  constructor(
    private readonly clock: BotClock,
    private readonly states: BotStates,
  ) {}

  /** Registers a listener for due alarms. */
  onDue(listener: DueListener): void {
    this.listeners.push(listener);
  }

  /** Starts to fire alarms. */
  start(): void {
    this.isRunning = true;
  }

  /** Forgets all alarms; they stay in the database. */
  stop(): void {
    this.isRunning = false;
    for (const cancel of this.armed.values()) cancel();
    this.armed.clear();
    this.tries.clear();
  }

  /** Arms the stored alarms of a bot; overdue ones fire at once. */
  async load(botId: string): Promise<void> {
    for (const alarm of await this.read(botId)) this.arm(botId, alarm, alarm.data.at);
  }

  /** Fires the overdue alarms of a bot in a room, with all their retries. */
  async fireOverdue(botId: string, room: string): Promise<void> {
    const alarms = await this.read(botId, room);
    for (const alarm of alarms.filter(({ data }) => data.at <= this.clock.now())) {
      this.cancel(botId, room, alarm.data.key);
      this.arm(botId, alarm, alarm.data.at);
    }
  }

  /** Arms and cancels alarms after a bot has changed its state. */
  apply(botId: string, changes: readonly StateChange[]): void {
    for (const { owner, key, value } of changes) {
      if (!('alarms' in owner)) continue;
      this.cancel(botId, owner.alarms, key);
      for (const changed of this.readings) changed.add(idOf(botId, owner.alarms, key));
      if (value === undefined) continue;
      const data: AlarmEvent['data'] = {
        room: owner.alarms,
        seq: 0,
        key,
        ...(value as { at: number; value: unknown }),
      };
      this.arm(botId, { event: 'alarm.due', data }, data.at);
    }
  }

  /** Returns whether an alarm that has fired is still set. */
  async isSet(botId: string, { data: { room, key, at } }: AlarmEvent): Promise<boolean> {
    const value = await this.states.read(botId, { alarms: room }, key);
    return (value as { at: number } | undefined)?.at === at;
  }

  /** Fires an alarm again at a time, unless the bot has set it to another time since. */
  postpone(botId: string, alarm: AlarmEvent, until: number): void {
    const { room, key } = alarm.data;
    if (!this.armed.has(idOf(botId, room, key))) this.arm(botId, alarm, until);
  }

  /** Fires an alarm again after a pause, up to a number of times, until it is cleared. */
  retry(botId: string, alarm: AlarmEvent): void {
    const id = idOf(botId, alarm.data.room, alarm.data.key);
    const tries = (this.tries.get(id) ?? 0) + 1;
    this.tries.set(id, tries);
    if (tries < MAX_TRIES) this.postpone(botId, alarm, this.clock.now() + RETRY_MS);
  }

  /** Deletes an alarm of a bot that has left the room. */
  discard(botId: string, { data: { room, key } }: AlarmEvent): void {
    const change = { owner: { alarms: room }, key, value: undefined };
    // After a failure, the alarm is deleted when it fires after the next start.
    this.states.write(botId, [change]).catch(() => undefined);
  }

  onModuleDestroy(): void {
    this.stop();
  }

  /** Reads the alarms of a bot, except those that changed meanwhile: `apply` has armed them. */
  private async read(botId: string, room?: string): Promise<AlarmEvent[]> {
    const changed = new Set<string>();
    this.readings.add(changed);
    try {
      const alarms = await this.states.alarms(botId, room);
      return alarms.filter(({ data }) => !changed.has(idOf(botId, data.room, data.key)));
    } finally {
      this.readings.delete(changed);
    }
  }

  private arm(botId: string, alarm: AlarmEvent, when: number): void {
    if (!this.isRunning) return;
    const id = idOf(botId, alarm.data.room, alarm.data.key);
    const wait = Math.max(0, when - this.clock.now());
    const due = () => {
      this.armed.delete(id);
      // Timers use another clock than the time of day, and last 25 days at most.
      if (this.clock.now() < when) this.arm(botId, alarm, when);
      else for (const listener of this.listeners) listener(botId, alarm);
    };
    this.armed.get(id)?.();
    this.armed.set(id, this.clock.after(Math.min(wait, LONGEST_MS), due, { background: true }));
  }

  private cancel(botId: string, room: string, key: string): void {
    const id = idOf(botId, room, key);
    this.armed.get(id)?.();
    this.armed.delete(id);
    this.tries.delete(id);
  }
}

function idOf(...parts: readonly string[]): string {
  return JSON.stringify(parts);
}
