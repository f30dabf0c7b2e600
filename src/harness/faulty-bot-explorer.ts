import { BotExplorer } from '../bots/bot-explorer.js';
import type { BotReport } from '../bots/runtime/bot-host.js';
import type { BotDefinition } from '../bots/runtime/bot-manifest.js';
import type { BotFaults } from './bot-faults.js';

/** Finds the bots as the server does, and puts the faults of a test around them. */
export class FaultyBotExplorer extends BotExplorer {
  constructor(
    private readonly faults: BotFaults,
    ...injected: ConstructorParameters<typeof BotExplorer>
  ) {
    super(...injected);
  }

  override explore(slow: (report: BotReport) => void): BotDefinition[] {
    return super.explore(slow).map((bot) => this.faults.around(bot));
  }
}
