import { Injectable } from '@nestjs/common';

import type { AlarmEvent } from '../../kit/bot-event.js';
import { BotReporter } from '../../kit/bot-reporter.js';
import { IdleTracker } from '../../kit/idle-tracker.js';
import type { BotAccount } from '../roster/bot-account.js';
import { BotRoster } from '../roster/bot-roster.js';
import { BotAlarmClock } from '../state/bot-alarm-clock.js';
import { RemoteBots } from './remote-bots.js';

/** Sends due alarms of remote bots to the connection that holds the room (P-13.13). */
@Injectable()
export class RemoteBotAlarms {
  constructor(
    private readonly clock: BotAlarmClock,
    private readonly roster: BotRoster,
    private readonly bots: RemoteBots,
    private readonly reporter: BotReporter,
    private readonly idle: IdleTracker,
  ) {}

  /** Sends an alarm if its bot is a remote one. */
  handleDue(botId: string, alarm: AlarmEvent): void {
    const bot = this.roster.findById(botId);
    if (bot?.isRemote !== true) return;
    const { room } = alarm.data;
    if (!bot.rooms.has(room)) {
      this.clock.discard(botId, alarm);
      return;
    }
    const sending = this.send(bot, alarm).catch((error: unknown) => {
      this.reporter.report({ bot: bot.name, kind: 'error', room, error });
      this.clock.retry(botId, alarm);
    });
    void this.idle.track(sending);
  }

  private async send(bot: BotAccount, alarm: AlarmEvent): Promise<void> {
    if (!(await this.clock.isSet(bot.actor.id, alarm))) return;
    const holder = this.bots.findHolder(bot, alarm.data.room);
    // Without a holder, the alarm fires when a connection gets the room.
    if (holder === undefined) return;
    this.clock.retry(bot.actor.id, alarm);
    holder.sendAlarm(alarm);
  }
}
