import { MessageBody, WebSocketGateway } from '@nestjs/websockets';

import type { Call } from '../../../chat/connections/call.js';
import { Command, CurrentCall } from '../../../chat/commands/command.decorator.js';
import type { CommandData, ReplyData } from '../../../protocol/commands.js';
import { ActiveRooms } from '../../../rooms/active-rooms.js';
import { refuseOwnLog } from '../../../rooms/policy.js';
import { toUser } from '../../../store/actor.js';
import type { BotAccount } from '../roster/bot-account.js';
import { BotRooms } from '../roster/bot-rooms.js';
import { BotRoster } from '../roster/bot-roster.js';
import { RemoteBotStates } from './remote-bot-states.js';
import { RemoteBots } from './remote-bots.js';
import { BotClock } from '../../kit/bot-clock.js';

/** Handles the commands about bots (P-13). */
@WebSocketGateway()
export class BotsGateway {
  constructor(
    private readonly rooms: BotRooms,
    private readonly remote: RemoteBots,
    private readonly states: RemoteBotStates,
    private readonly roster: BotRoster,
    private readonly activeRooms: ActiveRooms,
    private readonly clock: BotClock,
  ) {}

  @Command('bot.add')
  add(
    @MessageBody() data: CommandData<'bot.add'>,
    @CurrentCall() call: Call,
  ): Promise<ReplyData<'bot.add'>> {
    return this.rooms.add(call, data);
  }

  @Command('bot.remove')
  remove(
    @MessageBody() data: CommandData<'bot.remove'>,
    @CurrentCall() call: Call,
  ): Promise<ReplyData<'bot.remove'>> {
    return this.rooms.remove(call, data);
  }

  @Command('bot.ack', { write: true })
  acknowledge(
    @MessageBody() data: CommandData<'bot.ack'>,
    @CurrentCall() call: Call,
  ): Promise<ReplyData<'bot.ack'>> {
    return this.remote.acknowledge(call, data);
  }

  @Command('bot.load', { reads: 'page' })
  load(
    @MessageBody() data: CommandData<'bot.load'>,
    @CurrentCall() call: Call,
  ): Promise<ReplyData<'bot.load'>> {
    return this.states.load(call, data);
  }

  @Command('bot.store', { write: true, botBucket: 'messages' })
  store(
    @MessageBody() data: CommandData<'bot.store'>,
    @CurrentCall() call: Call,
  ): Promise<ReplyData<'bot.store'>> {
    return this.states.store(call, data);
  }

  @Command('bot.commands', { reads: 'page' })
  async commands(
    @MessageBody() { room }: CommandData<'bot.commands'>,
    @CurrentCall() call: Call,
  ): Promise<ReplyData<'bot.commands'>> {
    await this.requireMember(call, room);
    return { commands: this.roster.memberships.botsIn(room).flatMap(commandsOf) };
  }

  @Command('bot.status')
  async status(
    @MessageBody() { room }: CommandData<'bot.status'>,
    @CurrentCall() call: Call,
  ): Promise<ReplyData<'bot.status'>> {
    const now = this.clock.now();
    if (room === undefined) return { bots: this.roster.all().map((bot) => statusOf(bot, now)) };
    await this.requireMember(call, room);
    return { bots: this.roster.memberships.botsIn(room).map((bot) => statusOf(bot, now, room)) };
  }

  private async requireMember(call: Call, room: string): Promise<void> {
    refuseOwnLog(room);
    await this.activeRooms.getForMember(room, call.actor.id);
  }
}

function commandsOf({ actor, commandHelp }: BotAccount): ReplyData<'bot.commands'>['commands'] {
  const bot = toUser(actor);
  return commandHelp.map(({ name, help, args }) => ({ bot, name, help, args: [...args] }));
}

function statusOf(
  { actor, about, wanted, backoff, rooms }: BotAccount,
  now: number,
  room?: string,
): ReplyData<'bot.status'>['bots'][number] {
  const until = backoff.restingUntil(now);
  const scopes = room === undefined ? undefined : rooms.get(room)?.scopes;
  return {
    bot: toUser(actor),
    about,
    state: until === null ? 'active' : 'resting',
    ...(until === null ? {} : { until }),
    wants: [...wanted],
    ...(scopes === undefined ? {} : { scopes: [...scopes] }),
  };
}
