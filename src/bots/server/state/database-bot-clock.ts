import { Injectable } from '@nestjs/common';

import { Writer } from '../../../database/writer.js';
import { BotClock } from '../../kit/bot-clock.js';

/** The clock of bots inside the server: alarms are stored, and another server may fire them. */
@Injectable()
export class DatabaseBotClock extends BotClock {
  constructor(private readonly writer: Writer) {
    super();
  }

  override now(): number {
    return this.writer.now();
  }
}
