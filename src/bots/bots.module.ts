import {
  Module,
  type DynamicModule,
  type OnApplicationBootstrap,
  type Provider,
} from '@nestjs/common';
import { DiscoveryModule, ExternalContextCreator, ModulesContainer } from '@nestjs/core';

import { ChatModule } from '../chat/chat.module.js';
import { localContexts } from '../chat/commands/local-contexts.js';
import { Lease } from '../database/lease.js';
import { MessagesModule } from '../messages/messages.module.js';
import { RoomsModule } from '../rooms/rooms.module.js';
import { RoomsService } from '../rooms/rooms.service.js';
import { UsersModule } from '../users/users.module.js';
import { BotAlarmClock } from './server/state/bot-alarm-clock.js';
import { BotDispatcher } from './server/dispatch/bot-dispatcher.js';
import { BotExplorer } from './kit/bot-explorer.js';
import { BotMarks } from './server/state/bot-marks.js';
import { BotReporter } from './kit/bot-reporter.js';
import { BotRooms } from './server/roster/bot-rooms.js';
import { BotRoster } from './server/roster/bot-roster.js';
import { DatabaseBotClock } from './server/state/database-bot-clock.js';
import { BotStates } from './server/state/bot-states.js';
import { BotProgress } from './server/dispatch/bot-progress.js';
import { BotTriggers } from './server/dispatch/bot-triggers.js';
import { BotsGateway } from './server/remote/bots.gateway.js';
import { RemoteBotAlarms } from './server/remote/remote-bot-alarms.js';
import { RemoteBotStates } from './server/remote/remote-bot-states.js';
import { RemoteBots } from './server/remote/remote-bots.js';
import { BUILT_IN_BOTS } from './built-in/built-in-bots.js';
import { BotClock } from './kit/bot-clock.js';
import { IdleTracker } from './kit/idle-tracker.js';
import { toProvider, type BotSource } from './kit/bot-source.js';

/** The bots of an app and their dependencies. */
export interface BotsOptions {
  readonly bots: readonly BotSource[];
  readonly imports: NonNullable<DynamicModule['imports']>;
  readonly providers: readonly Provider[];
}

/** Runs bots: providers with handlers that react to the events of rooms. */
@Module({})
export class BotsModule implements OnApplicationBootstrap {
  /** Registers the providers that react to changes of providers which they also use. */
  constructor(
    rooms: RoomsService,
    roster: BotRoster,
    alarms: BotAlarmClock,
    dispatcher: BotDispatcher,
    remoteBots: RemoteBots,
    remoteAlarms: RemoteBotAlarms,
    private readonly lease: Lease,
  ) {
    rooms.onNewRoom((tx, room) => roster.addConfigured(tx, room));
    roster.onRoomsChanged((bot) => remoteBots.updateLeases(bot));
    roster.onRoomsChanged((bot) => dispatcher.updateRooms(bot));
    alarms.onDue((botId, alarm) => dispatcher.handleDue(botId, alarm));
    alarms.onDue((botId, alarm) => remoteAlarms.handleDue(botId, alarm));
    lease.listen({
      taken: async () => {
        await roster.update();
        await dispatcher.begin();
        // Those that are overdue fire at once.
        await roster.startAlarms();
      },
      lost: () => {
        dispatcher.end();
        alarms.stop();
        remoteBots.end();
      },
    });
  }

  /** Runs the bots, or waits until no other server does. */
  async onApplicationBootstrap(): Promise<void> {
    await this.lease.start();
  }

  /**
   * Runs these bots, in addition to those that other modules of the app provide.
   *
   * `imports` and `providers` supply what the bots inject; `providers` also override the providers
   * of this module.
   */
  static forRoot({ bots, imports, providers }: BotsOptions): DynamicModule {
    return {
      module: BotsModule,
      imports: [DiscoveryModule, UsersModule, RoomsModule, MessagesModule, ChatModule, ...imports],
      providers: [
        ...BUILT_IN_BOTS,
        // Global guards of the app do not apply to the handlers of bots.
        {
          provide: ExternalContextCreator,
          inject: [ModulesContainer],
          useFactory: localContexts,
        },
        BotAlarmClock,
        { provide: BotClock, useClass: DatabaseBotClock },
        IdleTracker,
        BotDispatcher,
        BotMarks,
        BotProgress,
        RemoteBots,
        RemoteBotAlarms,
        RemoteBotStates,
        BotExplorer,
        BotReporter,
        BotRooms,
        BotRoster,
        BotStates,
        BotTriggers,
        BotsGateway,
        ...bots.map(toProvider),
        ...providers,
      ],
      exports: [BotClock, BotDispatcher, BotReporter, BotRoster, RemoteBots],
    };
  }
}
