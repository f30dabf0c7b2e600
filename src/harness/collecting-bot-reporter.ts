import { BotReporter } from '../bots/runtime/bot-reporter.js';
import type { BotReport } from '../bots/runtime/bot-host.js';

/** Keeps what was reported, for tests to look at. */
export class CollectingBotReporter extends BotReporter {
  readonly reports: BotReport[] = [];

  override report(report: BotReport): void {
    this.reports.push(report);
  }
}
