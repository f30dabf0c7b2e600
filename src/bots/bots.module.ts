import { Module, type DynamicModule, type Type } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';

import { ChatModule } from '../chat/chat.module.js';
import { MessagesModule } from '../messages/messages.module.js';
import { RoomsModule } from '../rooms/rooms.module.js';
import { UsersModule } from '../users/users.module.js';
import { BotDispatcher } from './bot-dispatcher.js';
import { BotExplorer } from './bot-explorer.js';
import { BotMarks } from './bot-marks.service.js';
import { BotReporter } from './bot-reporter.js';
import { BotRooms } from './bot-rooms.service.js';
import { BotRoster } from './bot-roster.js';
import { BotStates } from './bot-states.service.js';
import { BotTriggers } from './bot-triggers.js';
import { BotsGateway } from './bots.gateway.js';
import { RemoteBots } from './remote-bots.service.js';
import { BUILT_IN_BOTS } from './built-in.js';

/** Bots: providers with handlers that react to what is committed in rooms. */
@Module({})
export class BotsModule {
  /** Runs bots of these classes, beside those that other modules of the app provide. */
  static of(bots: readonly Type[]): DynamicModule {
    return {
      module: BotsModule,
      imports: [DiscoveryModule, UsersModule, RoomsModule, MessagesModule, ChatModule],
      providers: [
        ...BUILT_IN_BOTS,
        ...bots,
        BotDispatcher,
        BotMarks,
        RemoteBots,
        BotExplorer,
        BotReporter,
        BotRooms,
        BotRoster,
        BotStates,
        BotTriggers,
        BotsGateway,
      ],
      exports: [BotDispatcher, BotReporter, BotRoster],
    };
  }
}
