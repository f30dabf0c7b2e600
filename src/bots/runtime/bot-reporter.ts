import { Injectable, Logger } from '@nestjs/common';

import type { BotReport } from './bot-host.js';

/** Learns what went wrong at bots; provide another one to pass it on elsewhere. */
@Injectable()
export class BotReporter {
  private readonly logger = new Logger('Bots');

  /** Takes a report; the error is for operators, never for the room. */
  report({ error, ...report }: BotReport): void {
    const err = error === undefined ? {} : { err: error };
    this.logger.warn({ msg: `A bot: ${report.kind}`, ...report, ...err });
  }
}
