import { Inject, Injectable } from '@nestjs/common';

import { CONFIG, type Config } from '../config/config.js';
import type { CommandData, DirectCut, ReplyData } from '../protocol/commands.js';
import { ProtocolError } from '../protocol/errors.js';
import { kindOfRoom, normalizeLabel, OWN_ROOM } from '../protocol/names.js';
import type { Position, RoomCut } from '../protocol/models.js';
import type { ActiveRoom } from '../rooms/active-room.js';
import { ActiveRooms } from '../rooms/active-rooms.js';
import { DirectRooms, type Opening } from '../rooms/direct-rooms.service.js';
import { directRoomId } from '../rooms/direct-rows.js';
import { RoomReplay, takeBytes, type ReplayResult } from '../rooms/room-replay.js';
import { refuseOwnLog, RoomsService, type CreationLimit } from '../rooms/rooms.service.js';
import { ownLog } from '../users/actor.js';
import { BotPort } from './bot-port.js';
import type { Call } from './call.js';
import { HourlyRates } from './hourly-rates.js';
import { Presence } from './presence.js';
import { PresentUsers } from './present-users.js';
import { RoomHub } from './room-hub.js';

const TITLE_CHARS = 64;

/** The ways into a room: each answers with a cut or a replay and attaches the connection. */
@Injectable()
export class RoomEntry {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(RoomsService) private readonly rooms: RoomsService,
    @Inject(DirectRooms) private readonly directs: DirectRooms,
    @Inject(ActiveRooms) private readonly active: ActiveRooms,
    @Inject(RoomReplay) private readonly replay: RoomReplay,
    @Inject(RoomHub) private readonly hub: RoomHub,
    @Inject(Presence) private readonly presence: Presence,
    @Inject(PresentUsers) private readonly present: PresentUsers,
    @Inject(HourlyRates) private readonly rates: HourlyRates,
    @Inject(BotPort) private readonly bots: BotPort,
  ) {}

  /** Makes a room and enters it (P-5.2). */
  async create(call: Call, data: CommandData<'room.create'>): Promise<RoomCut> {
    this.hub.requireRoomFor(call.connection, data.room);
    await this.rooms.create(call, withTypedTitle(call, data), this.creationLimit(call));
    return this.enter(call, data.room);
  }

  /** Joins a room and enters it (P-5.4). */
  async join(call: Call, data: CommandData<'room.join'>): Promise<RoomCut> {
    this.hub.requireRoomFor(call.connection, data.room);
    if (kindOfRoom(data.room) === 'direct') await this.directs.join(call, data.room);
    else await this.rooms.join(call, withTypedTitle(call, data), this.creationLimit(call));
    return this.enter(call, data.room);
  }

  /** Enters the direct room of the caller and another user, made if there is none (P-5.17). */
  async openDirect(call: Call, userId: string): Promise<DirectCut> {
    this.hub.requireRoomFor(call.connection, directRoomId(call.actor.id, userId));
    const opening: Opening = {
      userId,
      here: this.present.find(userId),
      bot: await this.bots.plug.findEntrant(userId),
      limit: this.rates.directsOf(call.actor.id),
    };
    const { room, created } = await this.directs.open(call, opening);
    return { ...(await this.enter(call, room)), created };
  }

  /** Enters a room, or replays its log and enters it after the last page (P-5.11). */
  async sync(call: Call, data: CommandData<'room.sync'>): Promise<ReplyData<'room.sync'>> {
    const { room, epoch, after } = data;
    const from = epoch === undefined || after === undefined ? null : { epoch, seq: after };
    if (room === OWN_ROOM && from !== null) return this.replayOwn(call, from);
    refuseOwnLog(room);
    this.hub.requireRoomFor(call.connection, room);
    if (from === null) return this.enter(call, room);
    return this.replay.forMember(room, call.actor.id, from, (found, result) =>
      this.arrive(call, found, from, result),
    );
  }

  /** Nothing is awaited between the cut and the attachment, so that no event falls between them. */
  private async enter(call: Call, id: string): Promise<RoomCut> {
    for (;;) {
      const room = await this.active.getForMember(id, call.actor.id);
      if (!this.active.isCurrentFor(room, call.actor.id)) continue;
      this.hub.attach(call, id);
      return this.cut(room, call.actor.id);
    }
  }

  private cut(room: ActiveRoom, userId: string): RoomCut {
    const { membersPerCut, pageBytes } = this.config.limits;
    const you = room.members.get(userId);
    if (you === undefined) throw new ProtocolError('not_member');
    const newestFirst = takeBytes(room.messages.toReversed(), pageBytes);
    return {
      room: room.id,
      epoch: room.epoch,
      seq: room.head,
      info: room.info,
      you,
      members: room.firstMembers(membersPerCut),
      memberCount: room.info.memberCount,
      messages: newestFirst.toReversed(),
      hasMore: room.hasMore || newestFirst.length < room.messages.length,
      presence: this.presence.of(this.hub.find(room.id), room.info.memberCount),
    };
  }

  private arrive(
    call: Call,
    room: ActiveRoom,
    from: Position,
    result: ReplayResult,
  ): ReplyData<'room.sync'> {
    const position = { room: room.id, epoch: room.epoch };
    if (!result.complete) {
      this.hub.detach(call.connection, room.id);
      return { ...position, seq: room.head, complete: false, reason: result.reason };
    }
    if (result.more) this.hub.detach(call.connection, room.id);
    else this.hub.attach(call, room.id);
    const seq = result.events.at(-1)?.data.seq ?? from.seq;
    return { ...position, seq, complete: true, events: [...result.events], hasMore: result.more };
  }

  private async replayOwn(call: Call, from: Position): Promise<ReplyData<'room.sync'>> {
    const { id, ownEpoch } = call.actor;
    const result = await this.replay.ofOwnLog(ownLog(id), ownEpoch, from);
    const position = { room: OWN_ROOM, epoch: ownEpoch };
    if (!result.complete) {
      return { ...position, seq: result.head, complete: false, reason: result.reason };
    }
    const seq = result.events.at(-1)?.data.seq ?? from.seq;
    return { ...position, seq, complete: true, events: [...result.events], hasMore: result.more };
  }

  private creationLimit(call: Call): CreationLimit {
    const { roomBucket } = call.actor;
    return (tx) => {
      const retryAfterMs = roomBucket.take();
      if (retryAfterMs === 0) {
        tx.ifUndone(() => roomBucket.giveBack());
        return;
      }
      throw new ProtocolError('rate_limited', { retryAfterMs, details: { bucket: 'rooms' } });
    };
  }
}

/** Without a title, a new room is called what its maker typed. */
function withTypedTitle<D extends { room: string; title?: string | undefined }>(
  { data: raw }: Call,
  data: D,
): D {
  const typed = (raw as { room?: unknown }).room;
  const title = data.title ?? normalizeLabel(String(typed), TITLE_CHARS) ?? data.room;
  return { ...data, title };
}
