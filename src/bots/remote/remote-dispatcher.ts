import { ConnectionError, type Chat } from '#client/index.js';

import type { EventData, LogEvent } from '../../protocol/events.js';
import { OWN_ROOM } from '../../protocol/names.js';
import type { BotClock } from '../runtime/bot-clock.js';
import type { BotTrigger } from '../runtime/bot-context.js';
import type { AlarmEvent, BotEvent } from '../runtime/bot-event.js';
import type { BotHost } from '../runtime/bot-host.js';
import type { BotDefinition } from '../runtime/bot-manifest.js';
import { BotRest } from '../runtime/bot-rest.js';
import { BotRunner } from '../runtime/bot-runner.js';
import { PatientClock } from './patient-clock.js';
import { RemoteAlarms } from './remote-alarms.js';
import { isRefusal } from './refusals.js';
import { RemoteLane } from './remote-lane.js';
import { RemoteTriggers } from './remote-triggers.js';

/** How long to wait before an acknowledgement is tried again. */
const AGAIN_MS = 5_000;

/** What a {@link RemoteDispatcher} works with. */
export interface DispatcherTools {
  readonly bot: BotDefinition;
  readonly chat: Chat;
  readonly host: BotHost;
  readonly clock: BotClock;
}

/** Gives a bot of this program what the server delivers, each room in a lane of its own. */
export class RemoteDispatcher {
  /** How many events came, for those who watch whether anything goes on. */
  received = 0;
  private readonly lanes = new Map<string, RemoteLane>();
  private readonly rest = new BotRest();
  private readonly clock: PatientClock;
  private readonly alarms: RemoteAlarms;
  private readonly triggers: RemoteTriggers;
  private readonly runner: BotRunner;

  constructor(private readonly tools: DispatcherTools) {
    const { bot, chat, host, clock } = tools;
    this.clock = new PatientClock(clock, () => chat.status.name === 'open');
    this.alarms = new RemoteAlarms(clock);
    this.triggers = new RemoteTriggers(bot, chat, host);
    this.runner = new BotRunner(bot, host, this.clock);
  }

  /** Takes an event of a log. */
  take(event: LogEvent): void {
    this.received++;
    // What concerns the bot itself is for no handler.
    if (event.data.room !== OWN_ROOM) this.lane(event.data.room).push(event);
  }

  /** Takes an alarm that is due. */
  ring({ value = null, ...due }: EventData<'alarm.due'>): void {
    this.received++;
    const alarm: AlarmEvent = { event: 'alarm.due', data: { ...due, value, seq: 0 } };
    if (this.alarms.take(alarm)) this.lane(due.room).ring(alarm);
  }

  /** Begins anew with a session: what was not begun comes again. */
  sessionOpened(): void {
    this.clock.connected();
    for (const [room, lane] of this.lanes) {
      lane.sessionOpened();
      if (!lane.isBusy) this.lanes.delete(room);
    }
  }

  /** Begins with nothing more. */
  stop(): void {
    this.alarms.stop();
    for (const lane of this.lanes.values()) lane.stop();
  }

  /** Resolves when what was begun is dealt with and acknowledged. */
  async settled(): Promise<void> {
    await Promise.all([...this.lanes.values()].map((lane) => lane.settled()));
  }

  /** Counts the rooms in which there is something to do. */
  countBusy(): number {
    return [...this.lanes.values()].filter((lane) => lane.isBusy).length;
  }

  /** Counts what is planned by the clock. */
  countTimers(): number {
    return this.clock.countTimers() + this.alarms.countPostponed();
  }

  private lane(room: string): RemoteLane {
    const known = this.lanes.get(room);
    if (known !== undefined) return known;
    const lane = new RemoteLane({
      deal: (event) => this.deal(event),
      acknowledge: (seq) => this.acknowledge(room, seq),
    });
    this.lanes.set(room, lane);
    return lane;
  }

  private async deal(event: BotEvent): Promise<boolean> {
    try {
      const isAlarm = event.event === 'alarm.due';
      await (isAlarm ? this.dealWithAlarm(event) : this.dealWithLogged(event));
    } catch (error) {
      if (error instanceof ConnectionError) return false;
      this.report('error', event.data.room, error);
    }
    // With the connection gone for good, a handler could not do its work.
    return this.tools.chat.status.name !== 'closed';
  }

  private async dealWithLogged(event: LogEvent): Promise<void> {
    if (this.rest.restsUntil(this.clock.now()) !== null) return;
    const trigger = await this.triggers.of(event);
    if (trigger !== null) await this.run(trigger);
  }

  private async dealWithAlarm(alarm: AlarmEvent): Promise<void> {
    const { room } = alarm.data;
    const until = this.rest.restsUntil(this.clock.now());
    if (until !== null) {
      this.alarms.postpone(alarm, until, () => this.lane(room).ring(alarm));
      return;
    }
    try {
      const trigger = await this.triggers.ofAlarm(alarm);
      if (trigger !== null) await this.run(trigger);
    } finally {
      this.alarms.leave(alarm);
    }
  }

  private async run(trigger: BotTrigger): Promise<void> {
    const outcome = await this.runner.run(trigger);
    if (outcome === 'handled') this.rest.succeeded(this.clock.now());
    if (outcome === 'failed' && this.rest.failed(this.clock.now())) {
      this.report('resting', trigger.event.data.room);
    }
  }

  /** Stores how far a room is processed; one that is not the bot's any more needs no mark. */
  private async acknowledge(room: string, seq: number): Promise<void> {
    for (;;) {
      try {
        await this.tools.chat.call('bot.ack', { room, seq });
        return;
      } catch (error) {
        // What is not acknowledged when the program ends is delivered to the next one.
        if (error instanceof ConnectionError) return;
        if (isRefusal(error, 'not_found', 'not_member', 'invalid')) return;
        this.report('error', room, error);
        await new Promise<void>((resolve) => this.clock.after(AGAIN_MS, resolve));
      }
    }
  }

  private report(kind: 'error' | 'resting', room: string, error?: unknown): void {
    const { bot, host } = this.tools;
    host.report({ bot: bot.name, kind, room, ...(error === undefined ? {} : { error }) });
  }
}
