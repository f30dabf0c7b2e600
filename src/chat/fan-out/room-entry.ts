import { Inject, Injectable } from '@nestjs/common';

import { CONFIG, type Config } from '../../config/config.js';
import type { CommandData, DirectCut, ReplyData } from '../../protocol/commands.js';
import { encodeByParts } from '../../protocol/codec.js';
import { ProtocolError } from '../../protocol/errors.js';
import { isDirectRoomId, normalizeLabel, OWN_ROOM } from '../../protocol/names.js';
import type { Position, RoomCut } from '../../protocol/models.js';
import type { ActiveRoom } from '../../rooms/active-room.js';
import { ActiveRooms } from '../../rooms/active-rooms.js';
import { DirectRooms, type Opening } from '../../rooms/direct-rooms.js';
import { directRoomId } from '../../store/direct-rows.js';
import { RoomReplay, limitBytes, type ReplayResult } from '../../rooms/room-replay.js';
import { notMember, refuseOwnLog } from '../../rooms/policy.js';
import { RoomsService, type CreationLimit, type EntryLimits } from '../../rooms/rooms.service.js';
import { ownLog } from '../../store/actor.js';
import { BOT_PORT, type BotPort } from '../ports/bot-port.js';
import type { Call } from '../connections/call.js';
import { HourlyRates } from '../../limits/hourly-rates.js';
import { LoopTurns } from '../connections/loop-turns.js';
import { Channels } from './channels.js';
import { Presence } from './presence.js';
import { PresentUsers } from '../connections/present-users.js';
import { RoomHub } from './room-hub.js';

const TITLE_CHARS = 64;

/** Lets connections into rooms: replies with a cut or a replay, and attaches the connection. */
@Injectable()
export class RoomEntry {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly rooms: RoomsService,
    private readonly directs: DirectRooms,
    private readonly active: ActiveRooms,
    private readonly replay: RoomReplay,
    private readonly hub: RoomHub,
    private readonly channels: Channels,
    private readonly presence: Presence,
    private readonly present: PresentUsers,
    private readonly rates: HourlyRates,
    @Inject(BOT_PORT) private readonly bots: BotPort,
    private readonly turns: LoopTurns,
  ) {}

  /** Creates a room and enters it (P-5.2). */
  async create(call: Call, data: CommandData<'room.create'>): Promise<RoomCut> {
    this.hub.requireCapacity(call.connection, data.room);
    await this.rooms.create(call, withTypedTitle(call, data), this.creationLimit(call));
    return this.enter(call, data.room);
  }

  /** Joins a room and enters it (P-5.4). */
  async join(call: Call, data: CommandData<'room.join'>): Promise<RoomCut> {
    this.hub.requireCapacity(call.connection, data.room);
    if (isDirectRoomId(data.room)) await this.directs.join(call, data.room);
    else await this.rooms.join(call, withTypedTitle(call, data), this.entryLimits(call));
    return this.enter(call, data.room);
  }

  /** Enters the direct room of the caller and another user; creates it if needed (P-5.17). */
  async openDirect(call: Call, userId: string): Promise<DirectCut> {
    this.hub.requireCapacity(call.connection, directRoomId(call.actor.id, userId));
    const opening: Opening = {
      userId,
      connected: this.present.find(userId),
      bot: await this.bots.findEntrant(userId),
      limit: this.rates.limitDirectRoom(call.actor.id),
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
    this.hub.requireCapacity(call.connection, room);
    if (from === null) return this.enter(call, room);
    await this.turns.next();
    return this.replay.forMember(room, call.actor.id, from, (found, result) =>
      this.enterAfter(call, found, from, result),
    );
  }

  /** Awaits nothing between the cut and the attachment, so that no event is missed. */
  private async enter(call: Call, id: string): Promise<RoomCut> {
    await this.turns.next();
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
    if (you === undefined) throw notMember();
    const newestFirst = limitBytes(room.messages.toReversed(), pageBytes);
    return encodeByParts({
      room: room.id,
      epoch: room.epoch,
      seq: room.head,
      info: room.info,
      you,
      members: room.firstMembers(membersPerCut),
      memberCount: room.info.memberCount,
      messages: encodeByParts(newestFirst.toReversed()),
      hasMore: room.hasMore || newestFirst.length < room.messages.length,
      presence: this.presence.of(room.id, this.channels.find(room.id), room.info.memberCount),
    });
  }

  private enterAfter(
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
    return replay(position, seq, result);
  }

  private async replayOwn(call: Call, from: Position): Promise<ReplyData<'room.sync'>> {
    const { id, ownEpoch } = call.actor;
    const result = await this.replay.ofOwnLog(ownLog(id), ownEpoch, from);
    const position = { room: OWN_ROOM, epoch: ownEpoch };
    if (!result.complete) {
      return { ...position, seq: result.head, complete: false, reason: result.reason };
    }
    const seq = result.events.at(-1)?.data.seq ?? from.seq;
    return replay(position, seq, result);
  }

  private entryLimits(call: Call): EntryLimits {
    return { create: this.creationLimit(call), join: this.rates.limitJoin(call.rateSubject) };
  }

  private creationLimit(call: Call): CreationLimit {
    const { roomBucket } = call.actor;
    return (tx) => {
      const retryAfterMs = roomBucket.consume();
      if (retryAfterMs === 0) {
        tx.ifUndone(() => roomBucket.refund());
        return;
      }
      throw new ProtocolError('rate_limited', { retryAfterMs, details: { bucket: 'rooms' } });
    };
  }
}

/** Returns the reply with a page of events; the events are encoded once for all readers. */
function replay(
  position: { room: string; epoch: string },
  seq: number,
  { events, more: hasMore }: Extract<ReplayResult, { complete: true }>,
): ReplyData<'room.sync'> {
  const page = encodeByParts([...events]);
  return encodeByParts({ ...position, seq, complete: true, events: page, hasMore });
}

/** Uses the room name, in the form it was typed, as the title if none was given. */
function withTypedTitle<D extends { room: string; title?: string | undefined }>(
  { data: raw }: Call,
  data: D,
): D {
  const typed = (raw as { room?: unknown }).room;
  const title = data.title ?? normalizeLabel(String(typed), TITLE_CHARS) ?? data.room;
  return { ...data, title };
}
