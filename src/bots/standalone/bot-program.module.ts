import { Module, type DynamicModule, type Provider } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';

import { BotClock } from '../kit/bot-clock.js';
import { BotExplorer } from '../kit/bot-explorer.js';
import { BotReporter } from '../kit/bot-reporter.js';
import { toProvider, type BotSource } from '../kit/bot-source.js';
import { IdleTracker } from '../kit/idle-tracker.js';

/** The providers that bots need in a standalone program. */
@Module({})
export class BotProgramModule {
  static register(
    bots: readonly BotSource[],
    imports: NonNullable<DynamicModule['imports']>,
    providers: readonly Provider[],
  ): DynamicModule {
    return {
      module: BotProgramModule,
      imports: [DiscoveryModule, ...imports],
      providers: [
        BotClock,
        BotExplorer,
        BotReporter,
        IdleTracker,
        ...bots.map(toProvider),
        ...providers,
      ],
    };
  }
}
