import { Inject } from '@nestjs/common';
import { MessageBody, WebSocketGateway } from '@nestjs/websockets';

import type { CommandData, CommandName, ReplyData } from '../protocol/commands.js';
import { HistoryService } from '../messages/history.service.js';
import { MessagesService } from '../messages/messages.service.js';
import { ReactionsService } from '../messages/reactions.service.js';
import { ActiveRooms } from '../rooms/active-rooms.js';
import { DirectRooms } from '../rooms/direct-rooms.js';
import { refuseOwnLog } from '../rooms/policy.js';
import { RoomsService } from '../rooms/rooms.service.js';
import { BlocksService } from '../users/blocks.service.js';
import { TokensService } from '../users/tokens.service.js';
import { UsersService } from '../users/users.service.js';
import { toUser } from '../store/actor.js';
import { BOT_PORT, type BotPort } from './ports/bot-port.js';
import type { Call } from './connections/call.js';
import { Command, CurrentCall } from './commands/command.decorator.js';
import { HourlyRates } from '../limits/hourly-rates.js';
import { Presence } from './fan-out/presence.js';
import { PresentUsers } from './connections/present-users.js';
import { RoomEntry } from './fan-out/room-entry.js';
import { SessionsService } from './sessions/sessions.service.js';
import { TypingService } from './fan-out/typing.service.js';

type Reply<C extends CommandName> = Promise<ReplyData<C>>;

/**
 * The commands of the protocol, except `hello`, which opens the session, and those about bots.
 *
 * `protocol/commands.ts` has their schemas. The result of a method is the data of the reply.
 */
@WebSocketGateway()
export class ChatGateway {
  constructor(
    private readonly entry: RoomEntry,
    private readonly rooms: RoomsService,
    private readonly directs: DirectRooms,
    private readonly activeRooms: ActiveRooms,
    private readonly messages: MessagesService,
    private readonly reactions: ReactionsService,
    private readonly histories: HistoryService,
    private readonly typing: TypingService,
    private readonly users: UsersService,
    private readonly blocks: BlocksService,
    private readonly presence: Presence,
    private readonly present: PresentUsers,
    private readonly sessions: SessionsService,
    private readonly tokens: TokensService,
    private readonly rates: HourlyRates,
    @Inject(BOT_PORT) private readonly bots: BotPort,
  ) {}

  @Command('session.ping')
  ping(): ReplyData<'session.ping'> {
    return { at: Date.now() };
  }

  @Command('auth.refresh')
  refresh(
    @MessageBody() data: CommandData<'auth.refresh'>,
    @CurrentCall() call: Call,
  ): Reply<'auth.refresh'> {
    return this.sessions.refresh(call.session, data.token);
  }

  @Command('room.create', { reads: 'cut' })
  createRoom(
    @MessageBody() data: CommandData<'room.create'>,
    @CurrentCall() call: Call,
  ): Reply<'room.create'> {
    return this.entry.create(call, data);
  }

  @Command('room.join', { reads: 'cut' })
  joinRoom(
    @MessageBody() data: CommandData<'room.join'>,
    @CurrentCall() call: Call,
  ): Reply<'room.join'> {
    return this.entry.join(call, data);
  }

  @Command('room.leave')
  async leaveRoom(
    @MessageBody() { room }: CommandData<'room.leave'>,
    @CurrentCall() call: Call,
  ): Reply<'room.leave'> {
    return { room, seq: await this.rooms.leave(call, room) };
  }

  @Command('room.list', { reads: 'page' })
  listRooms(
    @MessageBody() data: CommandData<'room.list'>,
    @CurrentCall() call: Call,
  ): Reply<'room.list'> {
    return this.rooms.list(call.actor, data);
  }

  @Command('room.get')
  async getRoom(
    @MessageBody() { room }: CommandData<'room.get'>,
    @CurrentCall() call: Call,
  ): Reply<'room.get'> {
    refuseOwnLog(room);
    const { info, members } = await this.activeRooms.getFor(room, call.actor.id);
    const you = members.get(call.actor.id) ?? null;
    return { info, you, ...this.presence.countListeners(room) };
  }

  @Command('room.update', { write: true, bucket: 'messages' })
  async updateRoom(
    @MessageBody() data: CommandData<'room.update'>,
    @CurrentCall() call: Call,
  ): Reply<'room.update'> {
    return { info: await this.rooms.update(call, data) };
  }

  @Command('room.members', { reads: 'page' })
  listMembers(
    @MessageBody() data: CommandData<'room.members'>,
    @CurrentCall() call: Call,
  ): Reply<'room.members'> {
    return this.rooms.members(call.actor, data);
  }

  @Command('room.sync', { reads: 'cut' })
  syncRoom(
    @MessageBody() data: CommandData<'room.sync'>,
    @CurrentCall() call: Call,
  ): Reply<'room.sync'> {
    return this.entry.sync(call, data);
  }

  @Command('dm.open', { reads: 'cut' })
  openDirect(
    @MessageBody() { user }: CommandData<'dm.open'>,
    @CurrentCall() call: Call,
  ): Reply<'dm.open'> {
    return this.entry.openDirect(call, user);
  }

  @Command('dm.list', { reads: 'page' })
  listDirects(
    @MessageBody() data: CommandData<'dm.list'>,
    @CurrentCall() call: Call,
  ): Reply<'dm.list'> {
    return this.directs.list(call.actor, data);
  }

  @Command('message.send', { write: true, bucket: 'messages' })
  async sendMessage(
    @MessageBody() data: CommandData<'message.send'>,
    @CurrentCall() call: Call,
  ): Reply<'message.send'> {
    const limit = this.rates.limitUpload(call.actor.id);
    const sent = await this.messages.send(call, data, limit);
    if (!sent.duplicate) this.typing.endByMessage(call.actor, data.room);
    return sent;
  }

  @Command('message.edit', { write: true, bucket: 'messages' })
  editMessage(
    @MessageBody() data: CommandData<'message.edit'>,
    @CurrentCall() call: Call,
  ): Reply<'message.edit'> {
    return this.messages.edit(call, data);
  }

  @Command('message.delete', { write: true, bucket: 'messages' })
  deleteMessage(
    @MessageBody() data: CommandData<'message.delete'>,
    @CurrentCall() call: Call,
  ): Reply<'message.delete'> {
    return this.messages.delete(call, data);
  }

  @Command('message.react', { write: true, bucket: 'messages' })
  react(
    @MessageBody() data: CommandData<'message.react'>,
    @CurrentCall() call: Call,
  ): Reply<'message.react'> {
    return this.reactions.add(call, data);
  }

  @Command('message.unreact', { write: true, bucket: 'messages' })
  unreact(
    @MessageBody() data: CommandData<'message.unreact'>,
    @CurrentCall() call: Call,
  ): Reply<'message.unreact'> {
    return this.reactions.remove(call, data);
  }

  @Command('message.get', { reads: 'page' })
  async getMessage(
    @MessageBody() data: CommandData<'message.get'>,
    @CurrentCall() call: Call,
  ): Reply<'message.get'> {
    const message = await this.histories.get(call.actor, data);
    if (call.actor.kind === 'bot') await this.bots.checkRead(call, message);
    return { message };
  }

  @Command('message.history', { reads: 'page' })
  history(
    @MessageBody() data: CommandData<'message.history'>,
    @CurrentCall() call: Call,
  ): Reply<'message.history'> {
    return this.histories.page(call.actor, data);
  }

  @Command('message.status', { reads: 'page' })
  status(
    @MessageBody() data: CommandData<'message.status'>,
    @CurrentCall() call: Call,
  ): Reply<'message.status'> {
    return this.histories.status(call.actor, data);
  }

  @Command('typing.set')
  async setTyping(
    @MessageBody() data: CommandData<'typing.set'>,
    @CurrentCall() call: Call,
  ): Reply<'typing.set'> {
    await this.typing.set(call, data);
    return {};
  }

  @Command('user.get')
  async getUser(@MessageBody() { user: id }: CommandData<'user.get'>): Reply<'user.get'> {
    const here = this.present.find(id);
    return { user: here === undefined ? await this.users.get(id) : toUser(here) };
  }

  @Command('user.update', { write: true })
  async updateUser(
    @MessageBody() { name }: CommandData<'user.update'>,
    @CurrentCall() call: Call,
  ): Reply<'user.update'> {
    const limit = this.rates.limitRename(call.rateSubject);
    return { user: await this.users.rename(call, name, limit) };
  }

  @Command('user.block', { write: true })
  blockUser(
    @MessageBody() { user }: CommandData<'user.block'>,
    @CurrentCall() call: Call,
  ): Reply<'user.block'> {
    return this.blocks.block(call, user, this.present.find(user));
  }

  @Command('user.unblock', { write: true })
  unblockUser(
    @MessageBody() { user }: CommandData<'user.unblock'>,
    @CurrentCall() call: Call,
  ): Reply<'user.unblock'> {
    return this.blocks.unblock(call, user, this.present.find(user));
  }

  @Command('user.blocks', { reads: 'page' })
  listBlocks(
    @MessageBody() data: CommandData<'user.blocks'>,
    @CurrentCall() call: Call,
  ): Reply<'user.blocks'> {
    return this.blocks.list(call.actor, data);
  }
}
