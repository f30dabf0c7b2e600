import { Module, type DynamicModule, type Provider } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';

import { BotClock } from '../runtime/bot-clock.js';
import { BotExplorer } from '../runtime/bot-explorer.js';
import { BotReporter } from '../runtime/bot-reporter.js';
import { toProvider, type BotSource } from '../runtime/bot-source.js';

/** What bots have around them in a program of their own. */
@Module({})
export class BotProgramModule {
  static of(bots: readonly BotSource[], providers: readonly Provider[]): DynamicModule {
    return {
      module: BotProgramModule,
      imports: [DiscoveryModule],
      providers: [BotClock, BotExplorer, BotReporter, ...bots.map(toProvider), ...providers],
    };
  }
}
