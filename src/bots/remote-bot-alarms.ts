import { Inject, Injectable } from '@nestjs/common';

import type { BotAccount } from './bot-account.js';
import { BotAlarmClock } from './bot-alarm-clock.js';
import { BotReporter } from './runtime/bot-reporter.js';
import { BotRoster } from './bot-roster.js';
import { RemoteBots } from './remote-bots.service.js';
import type { AlarmEvent } from './runtime/bot-event.js';

/** Alarms of bots from afar: sent to who has the room, until they are dealt with (P-13.13). */
@Injectable()
export class RemoteBotAlarms {
  /** Alarms that are about to be given to a connection. */
  private sending = 0;

  constructor(
    @Inject(BotAlarmClock) private readonly clock: BotAlarmClock,
    @Inject(BotRoster) private readonly roster: BotRoster,
    @Inject(RemoteBots) private readonly bots: RemoteBots,
    @Inject(BotReporter) private readonly reporter: BotReporter,
  ) {
    clock.onRing((botId, alarm) => this.ring(botId, alarm));
  }

  /** Counts the alarms that are about to be given to a connection. */
  countBusy(): number {
    return this.sending;
  }

  private ring(botId: string, alarm: AlarmEvent): void {
    const bot = this.roster.findById(botId);
    if (bot === undefined || bot.definition !== null) return;
    const { room } = alarm.data;
    if (!bot.rooms.has(room)) {
      this.clock.forget(botId, alarm);
      return;
    }
    this.sending++;
    this.send(bot, alarm)
      .catch((error: unknown) => {
        this.reporter.report({ bot: bot.name, kind: 'error', room, error });
        this.clock.retry(botId, alarm);
      })
      .finally(() => this.sending--);
  }

  private async send(bot: BotAccount, alarm: AlarmEvent): Promise<void> {
    if (!(await this.clock.isSet(bot.actor.id, alarm))) return;
    const holder = this.bots.findHolder(bot, alarm.data.room);
    // Without one, it rings when a connection is given the room.
    if (holder === undefined) return;
    this.clock.retry(bot.actor.id, alarm);
    holder.ring(alarm);
  }
}
