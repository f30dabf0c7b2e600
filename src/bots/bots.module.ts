import { Module, type DynamicModule, type Provider } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';

import { ChatModule } from '../chat/chat.module.js';
import { MessagesModule } from '../messages/messages.module.js';
import { RoomsModule } from '../rooms/rooms.module.js';
import { UsersModule } from '../users/users.module.js';
import { BotAlarmClock } from './bot-alarm-clock.js';
import { BotDispatcher } from './bot-dispatcher.js';
import { BotExplorer } from './runtime/bot-explorer.js';
import { BotMarks } from './bot-marks.service.js';
import { BotReporter } from './runtime/bot-reporter.js';
import { BotRooms } from './bot-rooms.service.js';
import { BotRoster } from './bot-roster.js';
import { BotStates } from './bot-states.service.js';
import { BotTriggers } from './bot-triggers.js';
import { BotsGateway } from './bots.gateway.js';
import { RemoteBotAlarms } from './remote-bot-alarms.js';
import { RemoteBotStates } from './remote-bot-states.service.js';
import { RemoteBots } from './remote-bots.service.js';
import { BUILT_IN_BOTS } from './built-in.js';
import { BotClock } from './runtime/bot-clock.js';
import { toProvider, type BotSource } from './runtime/bot-source.js';

/** Bots: providers with handlers that react to what is committed in rooms. */
@Module({})
export class BotsModule {
  /**
   * Runs these bots, beside those that other modules of the app provide.
   *
   * `providers` are what the bots inject, and what takes the place of providers of this module.
   */
  static of(bots: readonly BotSource[], providers: readonly Provider[] = []): DynamicModule {
    return {
      module: BotsModule,
      imports: [DiscoveryModule, UsersModule, RoomsModule, MessagesModule, ChatModule],
      providers: [
        ...BUILT_IN_BOTS,
        BotAlarmClock,
        BotClock,
        BotDispatcher,
        BotMarks,
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
      exports: [BotClock, BotDispatcher, BotReporter, BotRoster],
    };
  }
}
