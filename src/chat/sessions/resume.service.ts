import { Inject, Injectable } from '@nestjs/common';

import { CONFIG, type Config } from '../../config/config.js';
import { ProtocolError } from '../../protocol/errors.js';
import type { LogEvent } from '../../protocol/events.js';
import { OWN_ROOM, toRoomId } from '../../protocol/names.js';
import type { Position } from '../../protocol/models.js';
import type { Resumed } from '../../protocol/welcome.js';
import type { ActiveRoom } from '../../rooms/active-room.js';
import { ActiveRooms } from '../../rooms/active-rooms.js';
import { RoomReplay, type ReplayResult } from '../../rooms/room-replay.js';
import { ownLog } from '../../store/actor.js';
import { HeadConfirmation, type ConfirmedLogs } from '../../store/head-confirmation.js';
import { LogFeed } from '../../store/log-feed.js';
import type { Call } from '../connections/call.js';
import { LoopTurns } from '../connections/loop-turns.js';
import { RoomHub } from '../fan-out/room-hub.js';
import type { Prepared } from '../connections/transport.js';

/** State that the rooms of one welcome share. */
interface Handshake {
  /** Bytes that may still follow before the client would count as a slow reader. */
  bytes: number;
  readonly confirmed: ConfirmedLogs;
}

/** Resumes rooms at the positions of a returning client, in the handshake (P-5.12). */
@Injectable()
export class ResumeService {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly rooms: ActiveRooms,
    private readonly replay: RoomReplay,
    private readonly hub: RoomHub,
    private readonly turns: LoopTurns,
    private readonly heads: HeadConfirmation,
    private readonly feed: LogFeed,
  ) {}

  /** Resumes each room or returns the reason; missed events follow the reply to the call. */
  async resume(
    call: Call,
    positions: Readonly<Record<string, Position>>,
  ): Promise<Record<string, Resumed>> {
    const resumed: Record<string, Resumed> = {};
    const shared: Handshake = { bytes: this.config.limits.shedBytes, confirmed: new Set() };
    const ids = Object.keys(positions).flatMap((room) => toRoomId(room) ?? []);
    await this.heads.confirmAll(ids, shared.confirmed);
    for (const [room, position] of Object.entries(positions)) {
      resumed[room] = await (room === OWN_ROOM
        ? this.resumeOwn(call, position, shared)
        : this.resumeRoom(call, toRoomId(room) ?? '', position, shared));
    }
    return resumed;
  }

  private async resumeRoom(
    call: Call,
    id: string,
    position: Position,
    shared: Handshake,
  ): Promise<Resumed> {
    const room = await this.rooms.findFor(id, call.actor.id, shared.confirmed);
    if (room === null || !room.members.has(call.actor.id)) {
      return { complete: false, reason: 'not_found' };
    }
    if (!this.hub.hasCapacity(call.connection, id)) return { complete: false, reason: 'limit' };
    if (
      position.epoch === room.epoch &&
      room.head - position.seq > this.config.limits.resumeEvents
    ) {
      return { complete: false, reason: 'behind' };
    }
    await this.turns.next();
    try {
      const arrive = (found: ActiveRoom, result: ReplayResult) =>
        this.attachAfter(call, found, result, shared);
      const { confirmed } = shared;
      return await this.replay.forMember(id, call.actor.id, position, arrive, confirmed);
    } catch (error) {
      if (!isGone(error)) throw error;
      return { complete: false, reason: 'not_found' };
    }
  }

  private attachAfter(
    call: Call,
    room: ActiveRoom,
    result: ReplayResult,
    shared: Handshake,
  ): Resumed {
    if (!result.complete) return result;
    const missed = prepareWithin(shared, call, result.events);
    if (result.more || missed === null) return { complete: false, reason: 'behind' };
    this.hub.attach(call, room.id, missed);
    return { complete: true, seq: room.head };
  }

  private async resumeOwn(call: Call, position: Position, shared: Handshake): Promise<Resumed> {
    const log = ownLog(call.actor.id);
    const result = await this.replay.ofOwnLog(log, call.actor.ownEpoch, position);
    if (!result.complete) return { complete: false, reason: result.reason };
    if (result.more || result.events.length > this.config.limits.resumeEvents) {
      return { complete: false, reason: 'behind' };
    }
    const missed = prepareWithin(shared, call, result.events);
    if (missed === null) return { complete: false, reason: 'behind' };
    const seq = result.events.at(-1)?.data.seq ?? result.head;
    await this.feed.reach(log, seq);
    this.hub.prependOwn(call.connection, missed, seq);
    return { complete: true, seq };
  }
}

/** Prepares missed events; null if they exceed what may still be sent at once. */
function prepareWithin(
  shared: Handshake,
  { connection }: Call,
  events: readonly LogEvent[],
): readonly Prepared[] | null {
  const missed = events.flatMap(({ event, data }) => connection.prepare(event, data) ?? []);
  const bytes = missed.reduce((sum, one) => sum + one.bytes, 0);
  if (bytes > shared.bytes) return null;
  shared.bytes -= bytes;
  return missed;
}

/** Returns whether an error means that the room or the membership has ended. */
function isGone(error: unknown): boolean {
  return error instanceof ProtocolError && ['not_found', 'not_member'].includes(error.code);
}
