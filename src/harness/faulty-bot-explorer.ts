import type { Provider } from '@nestjs/common';
import { DiscoveryService, ExternalContextCreator, MetadataScanner } from '@nestjs/core';

import { BotExplorer } from '../bots/runtime/bot-explorer.js';
import type { BotReport } from '../bots/runtime/bot-host.js';
import type { FoundBot } from '../bots/runtime/choose-bots.js';
import type { BotFaults } from './bot-faults.js';

/** Finds the bots as the server does, and puts the faults of a test around them. */
export class FaultyBotExplorer extends BotExplorer {
  private constructor(
    private readonly faults: BotFaults,
    ...injected: ConstructorParameters<typeof BotExplorer>
  ) {
    super(...injected);
  }

  /** Gives it as Nest takes it. */
  static provide(faults: BotFaults): Provider {
    return {
      provide: BotExplorer,
      inject: [DiscoveryService, MetadataScanner, ExternalContextCreator],
      useFactory: (...injected: ConstructorParameters<typeof BotExplorer>) =>
        new FaultyBotExplorer(faults, ...injected),
    };
  }

  override explore(slow: (report: BotReport) => void): FoundBot[] {
    return super.explore(slow).map((bot) => ({ ...bot, ...this.faults.around(bot) }));
  }
}
