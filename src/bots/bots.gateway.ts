import { Inject } from '@nestjs/common';
import { MessageBody, WebSocketGateway } from '@nestjs/websockets';

import type { Call } from '../chat/call.js';
import { Command, CurrentCall } from '../chat/command.decorator.js';
import type { CommandData, ReplyData } from '../protocol/commands.js';
import { ActiveRooms } from '../rooms/active-rooms.js';
import { refuseOwnLog } from '../rooms/rooms.service.js';
import { toUser } from '../users/actor.js';
import type { BotAccount } from './bot-account.js';
import { BotRooms } from './bot-rooms.service.js';
import { BotRoster } from './bot-roster.js';
import { RemoteBotStates } from './remote-bot-states.service.js';
import { RemoteBots } from './remote-bots.service.js';
import { BotClock } from './runtime/bot-clock.js';

/** The commands about bots (P-13). */
@WebSocketGateway()
export class BotsGateway {
  constructor(
    @Inject(BotRooms) private readonly rooms: BotRooms,
    @Inject(RemoteBots) private readonly remote: RemoteBots,
    @Inject(RemoteBotStates) private readonly states: RemoteBotStates,
    @Inject(BotRoster) private readonly roster: BotRoster,
    @Inject(ActiveRooms) private readonly activeRooms: ActiveRooms,
    @Inject(BotClock) private readonly clock: BotClock,
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

  @Command('bot.load')
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

  @Command('bot.commands')
  async commands(
    @MessageBody() { room }: CommandData<'bot.commands'>,
    @CurrentCall() call: Call,
  ): Promise<ReplyData<'bot.commands'>> {
    await this.requireMember(call, room);
    return { commands: this.roster.inRoom(room).flatMap(commandsOf) };
  }

  @Command('bot.status')
  async status(
    @MessageBody() { room }: CommandData<'bot.status'>,
    @CurrentCall() call: Call,
  ): Promise<ReplyData<'bot.status'>> {
    const now = this.clock.now();
    if (room === undefined) return { bots: this.roster.all().map((bot) => statusOf(bot, now)) };
    await this.requireMember(call, room);
    return { bots: this.roster.inRoom(room).map((bot) => statusOf(bot, now, room)) };
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
  { actor, about, wanted, rest, rooms }: BotAccount,
  now: number,
  room?: string,
): ReplyData<'bot.status'>['bots'][number] {
  const until = rest.restsUntil(now);
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
