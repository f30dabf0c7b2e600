import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';

import { BotStates } from './bot-states.service.js';
import { BotClock } from './runtime/bot-clock.js';
import type { AlarmEvent } from './runtime/bot-event.js';
import type { StateChange } from './runtime/bot-host.js';

/** Longest time that a timer of Node can run. */
const LONGEST_MS = 2_147_483_647;
const RETRY_MS = 60_000;
const MAX_TRIES = 5;

type Ring = (botId: string, alarm: AlarmEvent) => void;

/** Rings the alarms that bots have set, also those from before a restart. */
@Injectable()
export class BotAlarmClock implements OnModuleDestroy {
  /** By bot, room and key: what calls the alarm off. */
  private readonly armed = new Map<string, () => void>();
  private readonly tries = new Map<string, number>();
  private ring: Ring = () => undefined;
  private isStopped = false;

  constructor(
    @Inject(BotClock) private readonly clock: BotClock,
    @Inject(BotStates) private readonly states: BotStates,
  ) {}

  /** Sets who is told of alarms that are due. */
  onRing(ring: Ring): void {
    this.ring = ring;
  }

  /** Arms what a bot had set before; what is overdue rings soon. */
  async start(botId: string): Promise<void> {
    for (const alarm of await this.states.alarms(botId)) this.arm(botId, alarm, alarm.data.at);
  }

  /** Takes in what a bot changed. */
  changed(botId: string, changes: readonly StateChange[]): void {
    for (const { owner, key, value } of changes) {
      if (!('alarms' in owner)) continue;
      this.cancel(botId, owner.alarms, key);
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
    this.arm(botId, alarm, until);
  }

  /** Has an alarm ring again whose handler failed, some times. */
  failed(botId: string, alarm: AlarmEvent): void {
    const id = idOf(botId, alarm.data.room, alarm.data.key);
    const tries = (this.tries.get(id) ?? 0) + 1;
    this.tries.set(id, tries);
    if (tries < MAX_TRIES) this.arm(botId, alarm, this.clock.now() + RETRY_MS);
  }

  /** Drops an alarm of a bot that has left the room. */
  forget(botId: string, { data: { room, key } }: AlarmEvent): void {
    const change = { owner: { alarms: room }, key, value: undefined };
    // What stays because of a failure is dropped when it rings after the next start.
    this.states.write(botId, [change]).catch(() => undefined);
  }

  onModuleDestroy(): void {
    this.isStopped = true;
    for (const cancel of this.armed.values()) cancel();
  }

  private arm(botId: string, alarm: AlarmEvent, when: number): void {
    if (this.isStopped) return;
    const id = idOf(botId, alarm.data.room, alarm.data.key);
    const wait = Math.max(0, when - this.clock.now());
    const due = () => {
      this.armed.delete(id);
      if (wait > LONGEST_MS) this.arm(botId, alarm, when);
      else this.ring(botId, alarm);
    };
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
