import { Inject, Injectable, type BeforeApplicationShutdown } from '@nestjs/common';

import { TypingService } from '../chat/typing.service.js';
import { Writer, type AppendedEvent, type CommitListener } from '../database/writer.js';
import { HistoryService } from '../messages/history.service.js';
import { MessagesService } from '../messages/messages.service.js';
import { ReactionsService } from '../messages/reactions.service.js';
import type { LogEvent } from '../protocol/events.js';
import type { BotAccount } from './bot-account.js';
import { BotLane } from './bot-lane.js';
import { BotReporter } from './bot-reporter.js';
import { BotRoster } from './bot-roster.js';
import { maySee } from './bot-sight.js';
import { BotStates } from './bot-states.service.js';
import type { BotDefinition } from './runtime/bot-manifest.js';
import { BotRunner } from './runtime/bot-runner.js';
import { BotTriggers } from './bot-triggers.js';
import { ServerBotHost, type BotServices } from './server-bot-host.js';

/** Gives the bots in a room what is committed there, each in a lane of its own (P-13.2). */
@Injectable()
export class BotDispatcher implements CommitListener, BeforeApplicationShutdown {
  private readonly lanes = new Map<BotAccount, Map<string, BotLane>>();
  private readonly runners = new Map<BotAccount, BotRunner>();
  private readonly services: BotServices;
  private isStopping = false;

  constructor(
    @Inject(Writer) writer: Writer,
    @Inject(BotTriggers) private readonly triggers: BotTriggers,
    @Inject(BotRoster) private readonly roster: BotRoster,
    @Inject(BotReporter) private readonly reporter: BotReporter,
    @Inject(BotStates) states: BotStates,
    @Inject(MessagesService) messages: MessagesService,
    @Inject(ReactionsService) reactions: ReactionsService,
    @Inject(HistoryService) history: HistoryService,
    @Inject(TypingService) typing: TypingService,
  ) {
    this.services = { messages, reactions, history, typing, states, reporter };
    writer.listen(this);
  }

  committed(events: readonly AppendedEvent[]): void {
    if (this.isStopping) return;
    for (const { log, event } of events) {
      for (const bot of this.roster.inRoom(log) ?? []) {
        if (bot.definition === null || !maySee(bot, event)) continue;
        this.lane(bot, log, bot.definition).push(event);
      }
    }
  }

  lost(): void {
    // A lane that is behind reads on from the log; what was announced stays true.
  }

  /** Gives bots no more to do; what they are at has the time of a handler. */
  async beforeApplicationShutdown(): Promise<void> {
    this.isStopping = true;
    await this.settled();
  }

  /** Resolves when no bot has anything to do. */
  async settled(): Promise<void> {
    const lanes = [...this.lanes.values()].flatMap((byRoom) => [...byRoom.values()]);
    await Promise.all(lanes.map((lane) => lane.settled()));
  }

  private lane(bot: BotAccount, room: string, definition: BotDefinition): BotLane {
    const byRoom = this.lanes.get(bot) ?? new Map<string, BotLane>();
    this.lanes.set(bot, byRoom);
    let lane = byRoom.get(room);
    if (lane === undefined) {
      lane = new BotLane({
        deal: (event) => this.deal(bot, definition, event),
        read: (after, limit) => this.triggers.read(room, after, limit),
        failed: (error) => this.reporter.report({ bot: bot.name, kind: 'error', room, error }),
      });
      byRoom.set(room, lane);
    }
    return lane;
  }

  private async deal(bot: BotAccount, definition: BotDefinition, event: LogEvent): Promise<void> {
    const trigger = await this.triggers.of(bot, event);
    if (trigger === null) return;
    const outcome = await this.runner(bot, definition).run(trigger);
    if (outcome === 'handled') bot.rest.succeeded();
    if (outcome === 'failed' && bot.rest.failed()) {
      this.reporter.report({ bot: bot.name, kind: 'resting', room: event.data.room });
    }
  }

  private runner(bot: BotAccount, definition: BotDefinition): BotRunner {
    let runner = this.runners.get(bot);
    if (runner === undefined) {
      runner = new BotRunner(definition, new ServerBotHost(bot, this.services));
      this.runners.set(bot, runner);
    }
    return runner;
  }
}
