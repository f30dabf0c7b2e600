import { Module, type DynamicModule, type Provider, type Type } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';

import { ChatModule } from '../chat/chat.module.js';
import { MessagesModule } from '../messages/messages.module.js';
import { RoomsModule } from '../rooms/rooms.module.js';
import { UsersModule } from '../users/users.module.js';
import { BotAlarmClock } from './bot-alarm-clock.js';
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
import { BotClock } from './runtime/bot-clock.js';

/** A class marked with `@ChatBot`, or an instance of one. */
export type BotSource = Type | object;

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

/** An instance takes the place of its class, so that one of a built-in bot can be set up anew. */
function toProvider(bot: BotSource): Provider {
  return typeof bot === 'function' ? (bot as Type) : { provide: bot.constructor, useValue: bot };
}
