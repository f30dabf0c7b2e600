import { ConnectionError, type Chat } from '#client/index.js';

import type { EventData, LogEvent } from '../../protocol/events.js';
import { OWN_ROOM } from '../../protocol/names.js';
import { BotBackoff } from '../kit/bot-backoff.js';
import type { BotClock } from '../kit/bot-clock.js';
import type { BotTrigger } from '../kit/bot-context.js';
import type { BotDefinition } from '../kit/bot-definition.js';
import type { AlarmEvent, BotEvent } from '../kit/bot-event.js';
import type { BotHost } from '../kit/bot-host.js';
import { BotRunner } from '../kit/bot-runner.js';
import type { IdleTracker } from '../kit/idle-tracker.js';
import { ConnectedClock } from './connected-clock.js';
import { isRefusal } from './refusals.js';
import { StandaloneAlarms } from './standalone-alarms.js';
import { StandaloneLane } from './standalone-lane.js';
import { StandaloneTriggers } from './standalone-triggers.js';

/** Delay before an acknowledgement is retried. */
const ACK_RETRY_MS = 5_000;

/** The dependencies of a {@link StandaloneDispatcher}. */
export interface DispatcherTools {
  readonly bot: BotDefinition;
  readonly chat: Chat;
  readonly host: BotHost;
  readonly clock: BotClock;
  readonly idle: IdleTracker;
}

/** Dispatches the events from the server to a bot of this program, one lane per room. */
export class StandaloneDispatcher {
  private readonly lanes = new Map<string, StandaloneLane>();
  private readonly backoff = new BotBackoff();
  private readonly clock: ConnectedClock;
  private readonly alarms: StandaloneAlarms;
  private readonly triggers: StandaloneTriggers;
  private readonly runner: BotRunner;

  constructor(private readonly tools: DispatcherTools) {
    const { bot, chat, host, clock } = tools;
    this.clock = new ConnectedClock(clock, () => chat.status.name === 'open');
    this.alarms = new StandaloneAlarms(clock);
    this.triggers = new StandaloneTriggers(bot, chat, host);
    this.runner = new BotRunner(bot, host, this.clock);
  }

  /** Queues an event of a log. */
  push(event: LogEvent): void {
    // No handler receives the events of the bot's own log.
    if (event.data.room !== OWN_ROOM) this.lane(event.data.room).push(event);
  }

  /** Queues a due alarm. */
  pushAlarm({ value = null, ...due }: EventData<'alarm.due'>): void {
    const alarm: AlarmEvent = { event: 'alarm.due', data: { ...due, value, seq: 0 } };
    if (this.alarms.add(alarm)) this.lane(due.room).pushAlarm(alarm);
  }

  /** Discards waiting events at the start of a session: the server delivers them again. */
  sessionOpened(): void {
    this.clock.connected();
    for (const [room, lane] of this.lanes) {
      lane.sessionOpened();
      if (!lane.isBusy) this.lanes.delete(room);
    }
  }

  /** Stops after the current events. */
  stop(): void {
    this.alarms.stop();
    for (const lane of this.lanes.values()) lane.stop();
  }

  /** Resolves when all running handlers have finished and are acknowledged. */
  async settled(): Promise<void> {
    await Promise.all([...this.lanes.values()].map((lane) => lane.settled()));
  }

  private lane(room: string): StandaloneLane {
    const known = this.lanes.get(room);
    if (known !== undefined) return known;
    const { idle } = this.tools;
    const lane = new StandaloneLane({
      handle: (event) => idle.track(this.handle(event)),
      acknowledge: (seq) => idle.track(this.acknowledge(room, seq)),
    });
    this.lanes.set(room, lane);
    return lane;
  }

  private async handle(event: BotEvent): Promise<boolean> {
    try {
      const isAlarm = event.event === 'alarm.due';
      await (isAlarm ? this.handleAlarm(event) : this.handleLogged(event));
    } catch (error) {
      if (error instanceof ConnectionError) return false;
      this.report('error', event.data.room, error);
    }
    // A handler cannot have done its work if the connection has closed for good.
    return this.tools.chat.status.name !== 'closed';
  }

  private async handleLogged(event: LogEvent): Promise<void> {
    if (this.backoff.restingUntil(this.clock.now()) !== null) return;
    const trigger = await this.triggers.find(event);
    if (trigger !== null) await this.run(trigger);
  }

  private async handleAlarm(alarm: AlarmEvent): Promise<void> {
    const { room } = alarm.data;
    const until = this.backoff.restingUntil(this.clock.now());
    if (until !== null) {
      this.alarms.postpone(alarm, until, () => this.lane(room).pushAlarm(alarm));
      return;
    }
    try {
      const trigger = await this.triggers.findForAlarm(alarm);
      if (trigger !== null) await this.run(trigger);
    } finally {
      this.alarms.remove(alarm);
    }
  }

  private async run(trigger: BotTrigger): Promise<void> {
    const outcome = await this.runner.run(trigger);
    if (outcome === 'handled') this.backoff.succeeded(this.clock.now());
    if (outcome === 'failed' && this.backoff.failed(this.clock.now())) {
      this.report('resting', trigger.event.data.room);
    }
  }

  /** Acknowledges a room up to a position, unless the bot is no longer in the room. */
  private async acknowledge(room: string, seq: number): Promise<void> {
    for (;;) {
      try {
        await this.tools.chat.call('bot.ack', { room, seq });
        return;
      } catch (error) {
        // The next program receives what is not acknowledged when this one ends.
        if (error instanceof ConnectionError) return;
        if (isRefusal(error, 'not_found', 'not_member', 'invalid')) return;
        this.report('error', room, error);
        await new Promise<void>((resolve) => this.clock.after(ACK_RETRY_MS, resolve));
      }
    }
  }

  private report(kind: 'error' | 'resting', room: string, error?: unknown): void {
    const { bot, host } = this.tools;
    host.report({ bot: bot.name, kind, room, ...(error === undefined ? {} : { error }) });
  }
}
