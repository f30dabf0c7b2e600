import { Inject, Injectable, type BeforeApplicationShutdown } from '@nestjs/common';

import { TypingService } from '../chat/typing.service.js';
import { Writer, type AppendedEvent, type CommitListener } from '../database/writer.js';
import { HistoryService } from '../messages/history.service.js';
import { MessagesService } from '../messages/messages.service.js';
import { ReactionsService } from '../messages/reactions.service.js';
import type { LogEvent } from '../protocol/events.js';
import { ActiveRooms } from '../rooms/active-rooms.js';
import type { BotAccount } from './bot-account.js';
import { BotAlarmClock } from './bot-alarm-clock.js';
import { BotLane } from './bot-lane.js';
import { BotReporter } from './runtime/bot-reporter.js';
import { BotRoster } from './bot-roster.js';
import type { BotSeat } from './bot-seats.js';
import { BotSight } from './bot-sight.js';
import { BotStates } from './bot-states.service.js';
import { BotClock, within } from './runtime/bot-clock.js';
import type { BotTrigger } from './runtime/bot-context.js';
import type { AlarmEvent, BotEvent } from './runtime/bot-event.js';
import type { BotDefinition } from './runtime/bot-manifest.js';
import { BotRunner } from './runtime/bot-runner.js';
import { BotTriggers } from './bot-triggers.js';
import { NextTurn } from './next-turn.js';
import { ServerBotHost, type BotServices } from './server-bot-host.js';

/** An event for a bot that may see it. */
interface Offer {
  readonly sight: BotSight;
  readonly seat: BotSeat;
  readonly definition: BotDefinition;
}

/** Longest time that the stop of the server waits for handlers, whatever they ask for. */
const LONGEST_STOP_MS = 10_000;

/** Gives the bots in a room what is committed there, each in a lane of its own (P-13.2). */
@Injectable()
export class BotDispatcher implements CommitListener, BeforeApplicationShutdown {
  /** Lanes in which there is something to do, by room. */
  private readonly lanes = new Map<string, Map<BotAccount, BotLane>>();
  /** Not in the turn of the commit: a send never waits for a bot. */
  private readonly offers = new NextTurn<Offer>((offers) => this.take(offers));
  private readonly runners = new Map<BotAccount, BotRunner>();
  private readonly services: BotServices;
  private isStopping = false;

  constructor(
    @Inject(Writer) writer: Writer,
    @Inject(BotTriggers) private readonly triggers: BotTriggers,
    @Inject(BotRoster) private readonly roster: BotRoster,
    @Inject(BotReporter) private readonly reporter: BotReporter,
    @Inject(ActiveRooms) rooms: ActiveRooms,
    @Inject(BotClock) private readonly clock: BotClock,
    @Inject(BotAlarmClock) private readonly alarms: BotAlarmClock,
    @Inject(BotStates) states: BotStates,
    @Inject(MessagesService) messages: MessagesService,
    @Inject(ReactionsService) reactions: ReactionsService,
    @Inject(HistoryService) history: HistoryService,
    @Inject(TypingService) typing: TypingService,
  ) {
    this.services = {
      ...{ messages, reactions, history, typing, states, reporter },
      ...{ rooms, roster, alarms, triggers, clock },
    };
    writer.listen(this);
    alarms.onRing((botId, alarm) => this.ring(botId, alarm));
  }

  committed(events: readonly AppendedEvent[]): void {
    if (this.isStopping) return;
    for (const { log, event } of events) {
      const seats = this.roster.seats.in(log);
      if (seats !== undefined) this.offer(event, seats);
    }
  }

  lost(): void {
    // A lane that is behind reads on from the log; what was announced stays true.
  }

  /** Gives bots no more to do, nor what waits; what they are at has the time of a handler. */
  async beforeApplicationShutdown(): Promise<void> {
    this.isStopping = true;
    this.offers.drop();
    for (const lane of this.allLanes()) lane.stop();
    await within(LONGEST_STOP_MS, this.settled(), this.clock);
  }

  /** Resolves when no bot has anything to do. */
  async settled(): Promise<void> {
    while (this.countBusy() > 0) {
      await this.offers.settled();
      await Promise.all(this.allLanes().map((lane) => lane.settled()));
    }
  }

  /** Counts the lanes in which a bot has something to do. */
  countBusy(): number {
    return this.allLanes().length + (this.offers.isBusy ? 1 : 0);
  }

  private allLanes(): BotLane[] {
    return [...this.lanes.values()].flatMap((byBot) => [...byBot.values()]);
  }

  private offer(event: LogEvent, seats: Iterable<BotSeat>): void {
    const sight = new BotSight(event);
    for (const seat of seats) {
      const { definition } = seat.bot;
      if (definition !== null && sight.isFor(seat)) this.offers.add({ sight, seat, definition });
    }
  }

  /** Wakes no lane for what no handler wants: that is most of what is said. */
  private take(offers: readonly Offer[]): void {
    const now = this.clock.now();
    for (const offer of offers) {
      const { bot, room } = offer.seat;
      const isBusy = this.lanes.get(room)?.has(bot) === true;
      if (!isBusy && (bot.rest.restsUntil(now) !== null || !mayConcern(offer))) continue;
      this.lane(bot, room, offer.definition).push(offer.sight.event);
    }
  }

  private ring(botId: string, alarm: AlarmEvent): void {
    const bot = this.roster.findById(botId);
    const definition = bot?.definition ?? null;
    if (this.isStopping || bot === undefined || definition === null) return;
    const { room } = alarm.data;
    if (bot.rooms.has(room)) this.lane(bot, room, definition).ring(alarm);
    else this.alarms.forget(botId, alarm);
  }

  private lane(bot: BotAccount, room: string, definition: BotDefinition): BotLane {
    const byBot = this.lanes.get(room) ?? new Map<BotAccount, BotLane>();
    const lane = byBot.get(bot) ?? this.newLane(bot, room, definition);
    this.lanes.set(room, byBot.set(bot, lane));
    return lane;
  }

  private newLane(bot: BotAccount, room: string, definition: BotDefinition): BotLane {
    return new BotLane({
      deal: (event) => this.deal(bot, definition, event),
      ring: (alarm) => this.deal(bot, definition, alarm),
      isResting: () => bot.rest.restsUntil(this.clock.now()) !== null,
      read: (after, limit) => this.triggers.read(room, after, limit),
      failed: (error) => this.reporter.report({ bot: bot.name, kind: 'error', room, error }),
      emptied: () => this.forgetLane(bot, room),
      // It is woken in a turn after that of the commit.
      mayBeginAtOnce: true,
    });
  }

  private forgetLane(bot: BotAccount, room: string): void {
    const byBot = this.lanes.get(room);
    byBot?.delete(bot);
    if (byBot?.size === 0) this.lanes.delete(room);
  }

  private async deal(bot: BotAccount, definition: BotDefinition, event: BotEvent): Promise<void> {
    const isAlarm = event.event === 'alarm.due';
    const found = isAlarm ? this.triggerOf(bot, event) : this.triggers.of(bot, event);
    const trigger = found instanceof Promise ? await found : found;
    if (trigger === null) return;
    const outcome = await this.runner(bot, definition).run(trigger);
    if (outcome === 'ignored') return;
    if (outcome === 'handled') bot.rest.succeeded(this.clock.now());
    if (outcome === 'failed' && isAlarm) this.alarms.retry(bot.actor.id, event);
    if (outcome === 'failed' && bot.rest.failed(this.clock.now())) {
      this.reporter.report({ bot: bot.name, kind: 'resting', room: event.data.room });
    }
  }

  /** Gives an alarm to react to; null if it was called off, or the bot rests. */
  private async triggerOf(bot: BotAccount, event: AlarmEvent): Promise<BotTrigger | null> {
    if (!(await this.alarms.isSet(bot.actor.id, event))) return null;
    const until = bot.rest.restsUntil(this.clock.now());
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

function mayConcern({ sight, seat, definition }: Offer): boolean {
  try {
    return sight.concerns(seat, definition);
  } catch {
    // A pattern that cannot be tried: the lane meets the same again, and reports it.
    return true;
  }
}
