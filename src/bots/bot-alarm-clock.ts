import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';

import { BotStates } from './bot-states.service.js';
import { BotClock } from './runtime/bot-clock.js';
import type { AlarmEvent } from './runtime/bot-event.js';
import type { StateChange } from './runtime/bot-host.js';

/** Longest time that a timer of Node can run. */
const LONGEST_MS = 2_147_483_647;
const RETRY_MS = 60_000;
const MAX_TRIES = 5;

/** Takes an alarm that is due, if it is one of a bot that it deals with. */
type Ring = (botId: string, alarm: AlarmEvent) => void;

/** Rings the alarms that bots have set, also those from before a restart. */
@Injectable()
export class BotAlarmClock implements OnModuleDestroy {
  /** By bot, room and key: what calls the alarm off. */
  private readonly armed = new Map<string, () => void>();
  private readonly tries = new Map<string, number>();
  /** Alarms that bots have changed while some were read, for each of those who read. */
  private readonly readings = new Set<Set<string>>();
  private readonly rings: Ring[] = [];
  private isStopped = false;

  constructor(
    @Inject(BotClock) private readonly clock: BotClock,
    @Inject(BotStates) private readonly states: BotStates,
  ) {}

  /** Adds who is told of alarms that are due. */
  onRing(ring: Ring): void {
    this.rings.push(ring);
  }

  /** Arms what a bot had set before; what is overdue rings soon. */
  async start(botId: string): Promise<void> {
    for (const alarm of await this.read(botId)) this.arm(botId, alarm, alarm.data.at);
  }

  /** Rings what of a bot is overdue in a room, as if for the first time. */
  async ringOverdue(botId: string, room: string): Promise<void> {
    const alarms = await this.read(botId, room);
    for (const alarm of alarms.filter(({ data }) => data.at <= this.clock.now())) {
      this.cancel(botId, room, alarm.data.key);
      this.arm(botId, alarm, alarm.data.at);
    }
  }

  /** Takes in what a bot changed. */
  changed(botId: string, changes: readonly StateChange[]): void {
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

  /** Tells whether an alarm that rang is still set. */
  async isSet(botId: string, { data: { room, key, at } }: AlarmEvent): Promise<boolean> {
    const value = await this.states.read(botId, { alarms: room }, key);
    return (value as { at: number } | undefined)?.at === at;
  }

  /** Has an alarm ring again later, as it could not be dealt with. */
  postpone(botId: string, alarm: AlarmEvent, until: number): void {
    this.armAgain(botId, alarm, until);
  }

  /** Has an alarm ring again that is not dealt with, some times. */
  retry(botId: string, alarm: AlarmEvent): void {
    const id = idOf(botId, alarm.data.room, alarm.data.key);
    const tries = (this.tries.get(id) ?? 0) + 1;
    this.tries.set(id, tries);
    if (tries < MAX_TRIES) this.armAgain(botId, alarm, this.clock.now() + RETRY_MS);
  }

  /** Drops an alarm of a bot that has left the room. */
  forget(botId: string, { data: { room, key } }: AlarmEvent): void {
    const change = { owner: { alarms: room }, key, value: undefined };
    // What stays because of a failure is dropped when it rings after the next start.
    this.states.write(botId, [change]).catch(() => undefined);
  }

  /** Counts the alarms that will ring. */
  countArmed(): number {
    return this.armed.size;
  }

  onModuleDestroy(): void {
    this.isStopped = true;
    for (const cancel of this.armed.values()) cancel();
  }

  /** Reads the alarms of a bot, but for those that it changed meanwhile: they are armed anew. */
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

  /** Arms an alarm that rang, unless the bot has set it to another time since. */
  private armAgain(botId: string, alarm: AlarmEvent, when: number): void {
    const { room, key } = alarm.data;
    if (!this.armed.has(idOf(botId, room, key))) this.arm(botId, alarm, when);
  }

  private arm(botId: string, alarm: AlarmEvent, when: number): void {
    if (this.isStopped) return;
    const id = idOf(botId, alarm.data.room, alarm.data.key);
    const wait = Math.max(0, when - this.clock.now());
    const due = () => {
      this.armed.delete(id);
      // Timers go by another clock than the time of day, and end after 25 days at the latest.
      if (this.clock.now() < when) this.arm(botId, alarm, when);
      else for (const ring of this.rings) ring(botId, alarm);
    };
    this.armed.get(id)?.();
    this.armed.set(id, this.clock.after(Math.min(wait, LONGEST_MS), due));
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
