import type { Provider } from '@nestjs/common';
import { DiscoveryService, ExternalContextCreator, MetadataScanner } from '@nestjs/core';

import { BotExplorer } from '../kit/bot-explorer.js';
import type { BotReport } from '../kit/bot-host.js';
import type { FoundBot } from '../kit/choose-bots.js';
import { IdleTracker } from '../kit/idle-tracker.js';
import type { BotFaults } from './bot-faults.js';

type Injected = ConstructorParameters<typeof BotExplorer>;

/** A {@link BotExplorer} that wraps the handlers of the bots with the faults of a test. */
export class FaultyBotExplorer extends BotExplorer {
  private constructor(
    private readonly faults: BotFaults,
    private readonly idle: IdleTracker,
    ...injected: Injected
  ) {
    super(...injected);
  }

  /** Returns the Nest provider. */
  static provide(faults: BotFaults): Provider {
    return {
      provide: BotExplorer,
      inject: [IdleTracker, DiscoveryService, MetadataScanner, ExternalContextCreator],
      useFactory: (idle: IdleTracker, ...injected: Injected) =>
        new FaultyBotExplorer(faults, idle, ...injected),
    };
  }

  override explore(slow: (report: BotReport) => void): FoundBot[] {
    return super.explore(slow).map((bot) => ({ ...bot, ...this.faults.wrap(bot, this.idle) }));
  }
}
