import { Injectable, type BeforeApplicationShutdown } from '@nestjs/common';

import { TypingService } from '../../../chat/fan-out/typing.service.js';
import { Lease } from '../../../database/lease.js';
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
import { BotLane, type LaneOwner } from './bot-lane.js';
import { BotProgress, type Backlog } from './bot-progress.js';
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

/** Time after which rooms that could not be followed are tried again. */
const RETRY_MS = 1_000;
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
  /** Bots whose rooms have changed. */
  private readonly moved: TurnBatcher<BotAccount>;
  /** The positions of the bots; null if no other server continues from them. */
  private readonly progress: BotProgress | null;
  private isRunning = false;
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
    private readonly lease: Lease,
    progress: BotProgress,
  ) {
    this.progress = lease.isShared ? progress : null;
    this.services = {
      ...{ messages, reactions, history, typing, states, reporter },
      ...{ rooms, roster, alarms, triggers, clock },
    };
    this.offers = new TurnBatcher((offers) => this.accept(offers), idle);
    this.moved = new TurnBatcher((bots) => this.followSoon([...new Set(bots)]), idle);
  }

  /** Starts to dispatch; where another server ran the bots before, they continue from its marks. */
  async begin(): Promise<void> {
    if (this.isStopping) return;
    this.isRunning = true;
    this.progress?.begin();
    await this.follow(this.roster.all());
  }

  /** Stops at once: another server runs the bots. Handlers that run can no longer write. */
  end(): void {
    this.isRunning = false;
    this.offers.clear();
    for (const lane of this.allLanes()) lane.stop();
    this.lanes.clear();
    this.runners.clear();
    this.progress?.end();
  }

  /** Follows the rooms of a bot that has joined or left one. */
  updateRooms(bot: BotAccount): void {
    if (this.progress !== null && this.isRunning) this.moved.add(bot);
  }

  committed(events: readonly AppendedEvent[]): void {
    if (!this.isRunning) return;
    for (const { log, event } of events) {
      const memberships = this.roster.memberships.inRoom(log);
      if (memberships !== undefined) this.offer(event, memberships);
    }
  }

  /** Discards waiting events; handlers that run may finish within their time. */
  async beforeApplicationShutdown(): Promise<void> {
    this.isStopping = true;
    this.isRunning = false;
    this.offers.clear();
    const lanes = this.allLanes();
    for (const lane of lanes) lane.stop();
    const settled = Promise.all(lanes.map((lane) => lane.settled())).then(() => undefined);
    await within(LONGEST_STOP_MS, settled, this.clock);
    await this.progress?.stop();
    await this.lease.release();
  }

  /** Dispatches a room anew of which the database has lost events. */
  reverted(log: string): void {
    if (this.progress === null) return;
    this.progress.forget(log);
    for (const { bot } of this.roster.memberships.inRoom(log) ?? []) {
      this.dropLane(bot, log);
      this.updateRooms(bot);
    }
  }

  private followSoon(bots: readonly BotAccount[]): void {
    const following = this.follow(bots).catch((error: unknown) => {
      for (const { name } of bots) this.reporter.report({ bot: name, kind: 'error', error });
      const again = (): void => bots.forEach((bot) => this.updateRooms(bot));
      this.clock.after(RETRY_MS, again, { background: true });
    });
    void this.idle.track(following);
  }

  private async follow(bots: readonly BotAccount[]): Promise<void> {
    if (this.progress === null) return;
    const inside = bots.filter(({ isRemote }) => !isRemote);
    for (const bot of inside) {
      for (const room of this.progress.unfollow(bot)) this.dropLane(bot, room);
    }
    for (const backlog of await this.progress.follow(inside)) this.catchUp(backlog);
  }

  /** Starts a lane that reads what happened while no server ran the bot. */
  private catchUp({ bot, room, after, head }: Backlog): void {
    if (bot.definition !== null) this.lane(bot, room, bot.definition, { seq: after, head });
  }

  private allLanes(): BotLane[] {
    return [...this.lanes.values()].flatMap((byBot) => [...byBot.values()]);
  }

  private offer(event: LogEvent, memberships: Iterable<BotMembership>): void {
    const visibility = new EventVisibility(event);
    for (const membership of memberships) {
      const { bot, room } = membership;
      const { definition } = bot;
      if (definition === null) continue;
      if (this.progress?.advance(bot, room, event.data.seq) === false) continue;
      if (!visibility.isVisibleTo(membership)) continue;
      this.progress?.offered(bot, room);
      this.offers.add({ visibility, membership, definition });
    }
  }

  /** Queues offers; wakes no lane for an event that no handler matches, as most do not. */
  private accept(offers: readonly Offer[]): void {
    const now = this.clock.now();
    for (const offer of offers) {
      const { bot, room } = offer.membership;
      const isBusy = this.lanes.get(room)?.has(bot) === true;
      this.progress?.accepted(bot, room);
      if (!isBusy && (bot.backoff.restingUntil(now) !== null || !mayTrigger(offer))) continue;
      const { event } = offer.visibility;
      this.progress?.wait(bot, room, event.data.seq - 1);
      this.lane(bot, room, offer.definition).push(event);
    }
  }

  /** Queues an alarm if its bot runs in this process. */
  handleDue(botId: string, alarm: AlarmEvent): void {
    const bot = this.roster.findById(botId);
    const definition = bot?.definition ?? null;
    if (!this.isRunning || bot === undefined || definition === null) return;
    const { room } = alarm.data;
    if (bot.rooms.has(room)) this.lane(bot, room, definition).pushAlarm(alarm);
    else this.alarms.discard(botId, alarm);
  }

  /** Returns the lane of a bot in a room; a new one starts after a position if one is given. */
  private lane(
    bot: BotAccount,
    room: string,
    definition: BotDefinition,
    from?: { seq: number; head: number },
  ): BotLane {
    const byBot = this.lanes.get(room) ?? new Map<BotAccount, BotLane>();
    const lane = byBot.get(bot) ?? this.newLane(bot, room, definition, from);
    this.lanes.set(room, byBot.set(bot, lane));
    return lane;
  }

  private newLane(
    bot: BotAccount,
    room: string,
    definition: BotDefinition,
    from?: { seq: number; head: number },
  ): BotLane {
    this.progress?.wait(bot, room, from?.seq ?? Infinity);
    const isCurrent = (): boolean => this.lanes.get(room)?.get(bot) === lane;
    const owner: LaneOwner = {
      handle: async (event: LogEvent) => {
        await this.handle(bot, definition, event);
        if (isCurrent()) this.progress?.handled(bot, room, event.data.seq);
      },
      handleAlarm: (alarm: AlarmEvent) => this.handle(bot, definition, alarm),
      isResting: () => bot.backoff.restingUntil(this.clock.now()) !== null,
      read: (after: number, limit: number) => this.triggers.read(room, after, limit),
      failed: (error: unknown) =>
        this.reporter.report({ bot: bot.name, kind: 'error', room, error }),
      emptied: () => {
        if (isCurrent()) this.removeLane(bot, room);
        if (!lane.isStopped) this.progress?.rest(bot, room);
      },
      // Offers are accepted in the turn after the commit.
      mayBeginAtOnce: true,
    };
    const lane = new BotLane(owner, this.idle, from);
    return lane;
  }

  private dropLane(bot: BotAccount, room: string): void {
    this.lanes.get(room)?.get(bot)?.stop();
    this.removeLane(bot, room);
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
      const host = new ServerBotHost(bot, this.services, this.lease.fence());
      runner = new BotRunner(definition, host, this.clock);
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
