import { Injectable, Logger } from '@nestjs/common';

import type { BotReport } from './bot-host.js';

/** Logs the failures of bots; provide a subclass to send them elsewhere. */
@Injectable()
export class BotReporter {
  private readonly logger = new Logger('Bots');

  /** Handles a report; its error is for operators, and never shown in the room. */
  report({ error, ...report }: BotReport): void {
    const err = error === undefined ? {} : { err: error };
    this.logger.warn({ msg: `A bot: ${report.kind}`, ...report, ...err });
  }
}
