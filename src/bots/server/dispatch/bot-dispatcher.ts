import { Injectable, type BeforeApplicationShutdown } from '@nestjs/common';

import { TypingService } from '../../../chat/fan-out/typing.service.js';
import type { AppendedEvent } from '../../../database/write-job.js';
import { HistoryService } from '../../../messages/history.service.js';
import { MessagesService } from '../../../messages/messages.service.js';
import { ReactionsService } from '../../../messages/reactions.service.js';
import type { LogEvent } from '../../../protocol/events.js';
import { ActiveRooms } from '../../../rooms/active-rooms.js';
import type { FeedListener } from '../../../store/log-feed.js';
import { BotClock, within } from '../../kit/bot-clock.js';
import type { BotTrigger } from '../../kit/bot-context.js';
import type { BotDefinition } from '../../kit/bot-definition.js';
import type { AlarmEvent, BotEvent } from '../../kit/bot-event.js';
import { BotReporter } from '../../kit/bot-reporter.js';
import { BotRunner } from '../../kit/bot-runner.js';
import { IdleTracker } from '../../kit/idle-tracker.js';
import type { BotAccount, BotMembership } from '../roster/bot-account.js';
import { BotRoster } from '../roster/bot-roster.js';
import { BotAlarmClock } from '../state/bot-alarm-clock.js';
import { BotStates } from '../state/bot-states.js';
import { BotLane } from './bot-lane.js';
import { BotTriggers } from './bot-triggers.js';
import { EventVisibility } from './event-visibility.js';
import { ServerBotHost, type BotServices } from './server-bot-host.js';
import { TurnBatcher } from './turn-batcher.js';

/** An event and a bot that may see it. */
interface Offer {
  readonly visibility: EventVisibility;
  readonly membership: BotMembership;
  readonly definition: BotDefinition;
}

/** Maximum time that shutdown waits for handlers, whatever their timeout is. */
const LONGEST_STOP_MS = 10_000;

/** Dispatches committed events to the bots of a room, one lane per bot and room (P-13.2). */
@Injectable()
export class BotDispatcher implements FeedListener, BeforeApplicationShutdown {
  /** Lanes that have work, by room. */
  private readonly lanes = new Map<string, Map<BotAccount, BotLane>>();
  /** Not in the turn of the commit: a send never waits for a bot. */
  private readonly offers: TurnBatcher<Offer>;
  private readonly runners = new Map<BotAccount, BotRunner>();
  private readonly services: BotServices;
  private isStopping = false;

  constructor(
    private readonly triggers: BotTriggers,
    private readonly roster: BotRoster,
    private readonly reporter: BotReporter,
    rooms: ActiveRooms,
    private readonly clock: BotClock,
    private readonly alarms: BotAlarmClock,
    private readonly idle: IdleTracker,
    states: BotStates,
    messages: MessagesService,
    reactions: ReactionsService,
    history: HistoryService,
    typing: TypingService,
  ) {
    this.services = {
      ...{ messages, reactions, history, typing, states, reporter },
      ...{ rooms, roster, alarms, triggers, clock },
    };
    this.offers = new TurnBatcher((offers) => this.accept(offers), idle);
  }

  committed(events: readonly AppendedEvent[]): void {
    if (this.isStopping) return;
    for (const { log, event } of events) {
      const memberships = this.roster.memberships.inRoom(log);
      if (memberships !== undefined) this.offer(event, memberships);
    }
  }

  /** Discards waiting events; handlers that run may finish within their time. */
  async beforeApplicationShutdown(): Promise<void> {
    this.isStopping = true;
    this.offers.clear();
    const lanes = [...this.lanes.values()].flatMap((byBot) => [...byBot.values()]);
    for (const lane of lanes) lane.stop();
    const settled = Promise.all(lanes.map((lane) => lane.settled())).then(() => undefined);
    await within(LONGEST_STOP_MS, settled, this.clock);
  }

  private offer(event: LogEvent, memberships: Iterable<BotMembership>): void {
    const visibility = new EventVisibility(event);
    for (const membership of memberships) {
      const { definition } = membership.bot;
      if (definition === null || !visibility.isVisibleTo(membership)) continue;
      this.offers.add({ visibility, membership, definition });
    }
  }

  /** Queues offers; wakes no lane for an event that no handler matches, as most do not. */
  private accept(offers: readonly Offer[]): void {
    const now = this.clock.now();
    for (const offer of offers) {
      const { bot, room } = offer.membership;
      const isBusy = this.lanes.get(room)?.has(bot) === true;
      if (!isBusy && (bot.backoff.restingUntil(now) !== null || !mayTrigger(offer))) continue;
      this.lane(bot, room, offer.definition).push(offer.visibility.event);
    }
  }

  /** Queues an alarm if its bot runs in this process. */
  handleDue(botId: string, alarm: AlarmEvent): void {
    const bot = this.roster.findById(botId);
    const definition = bot?.definition ?? null;
    if (this.isStopping || bot === undefined || definition === null) return;
    const { room } = alarm.data;
    if (bot.rooms.has(room)) this.lane(bot, room, definition).pushAlarm(alarm);
    else this.alarms.discard(botId, alarm);
  }

  private lane(bot: BotAccount, room: string, definition: BotDefinition): BotLane {
    const byBot = this.lanes.get(room) ?? new Map<BotAccount, BotLane>();
    const lane = byBot.get(bot) ?? this.newLane(bot, room, definition);
    this.lanes.set(room, byBot.set(bot, lane));
    return lane;
  }

  private newLane(bot: BotAccount, room: string, definition: BotDefinition): BotLane {
    const owner = {
      handle: (event: LogEvent) => this.handle(bot, definition, event),
      handleAlarm: (alarm: AlarmEvent) => this.handle(bot, definition, alarm),
      isResting: () => bot.backoff.restingUntil(this.clock.now()) !== null,
      read: (after: number, limit: number) => this.triggers.read(room, after, limit),
      failed: (error: unknown) =>
        this.reporter.report({ bot: bot.name, kind: 'error', room, error }),
      emptied: () => this.removeLane(bot, room),
      // Offers are accepted in the turn after the commit.
      mayBeginAtOnce: true,
    };
    return new BotLane(owner, this.idle);
  }

  private removeLane(bot: BotAccount, room: string): void {
    const byBot = this.lanes.get(room);
    byBot?.delete(bot);
    if (byBot?.size === 0) this.lanes.delete(room);
  }

  private async handle(bot: BotAccount, definition: BotDefinition, event: BotEvent): Promise<void> {
    const isAlarm = event.event === 'alarm.due';
    const found = isAlarm ? this.triggerForAlarm(bot, event) : this.triggers.find(bot, event);
    const trigger = found instanceof Promise ? await found : found;
    if (trigger === null) return;
    const outcome = await this.runner(bot, definition).run(trigger);
    if (outcome === 'ignored') return;
    if (outcome === 'handled') bot.backoff.succeeded(this.clock.now());
    if (outcome === 'failed' && isAlarm) this.alarms.retry(bot.actor.id, event);
    if (outcome === 'failed' && bot.backoff.failed(this.clock.now())) {
      this.reporter.report({ bot: bot.name, kind: 'resting', room: event.data.room });
    }
  }

  /** Returns the trigger for an alarm; null if it was cancelled, or the bot rests. */
  private async triggerForAlarm(bot: BotAccount, event: AlarmEvent): Promise<BotTrigger | null> {
    if (!(await this.alarms.isSet(bot.actor.id, event))) return null;
    const until = bot.backoff.restingUntil(this.clock.now());
    if (until === null) return { event, message: null, author: null, address: null };
    this.alarms.postpone(bot.actor.id, event, until);
    return null;
  }

  private runner(bot: BotAccount, definition: BotDefinition): BotRunner {
    let runner = this.runners.get(bot);
    if (runner === undefined) {
      runner = new BotRunner(definition, new ServerBotHost(bot, this.services), this.clock);
      this.runners.set(bot, runner);
    }
    return runner;
  }
}

function mayTrigger({ visibility, membership, definition }: Offer): boolean {
  try {
    return visibility.mayTrigger(membership, definition);
  } catch {
    // A pattern that throws: the lane runs it again, and reports the error.
    return true;
  }
}
