import { Inject, Injectable } from '@nestjs/common';

import { CONFIG, type Config } from '../config/config.js';
import { ProtocolError } from '../protocol/errors.js';
import type { LogEvent } from '../protocol/events.js';
import { OWN_ROOM, toRoomId } from '../protocol/names.js';
import type { Position } from '../protocol/models.js';
import type { Resumed } from '../protocol/welcome.js';
import type { ActiveRoom } from '../rooms/active-room.js';
import { ActiveRooms } from '../rooms/active-rooms.js';
import { RoomReplay, type ReplayResult } from '../rooms/room-replay.js';
import { ownLog } from '../users/actor.js';
import type { Call } from './call.js';
import { RoomHub } from './room-hub.js';
import type { Prepared } from './transport.js';

/** What one hello may still have sent after its welcome, so that it is not cut off for that. */
interface Allowance {
  bytes: number;
}

/** Takes up rooms where a client left off, in the handshake (P-5.12). */
@Injectable()
export class ResumeService {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(ActiveRooms) private readonly rooms: ActiveRooms,
    @Inject(RoomReplay) private readonly replay: RoomReplay,
    @Inject(RoomHub) private readonly hub: RoomHub,
  ) {}

  /** Resumes each room or says why not; missed events follow the reply to the call. */
  async resume(
    call: Call,
    positions: Readonly<Record<string, Position>>,
  ): Promise<Record<string, Resumed>> {
    const resumed: Record<string, Resumed> = {};
    const allowance: Allowance = { bytes: this.config.limits.shedBytes };
    for (const [room, position] of Object.entries(positions)) {
      resumed[room] = await (room === OWN_ROOM
        ? this.resumeOwn(call, position, allowance)
        : this.resumeRoom(call, toRoomId(room) ?? '', position, allowance));
    }
    return resumed;
  }

  private async resumeRoom(
    call: Call,
    id: string,
    position: Position,
    allowance: Allowance,
  ): Promise<Resumed> {
    const room = await this.rooms.findFor(id, call.actor.id);
    if (room === null || !room.members.has(call.actor.id)) {
      return { complete: false, reason: 'not_found' };
    }
    if (!this.hub.hasRoomFor(call.connection, id)) return { complete: false, reason: 'limit' };
    if (
      position.epoch === room.epoch &&
      room.head - position.seq > this.config.limits.resumeEvents
    ) {
      return { complete: false, reason: 'behind' };
    }
    try {
      return await this.replay.forMember(id, call.actor.id, position, (found, result) =>
        this.arrive(call, found, result, allowance),
      );
    } catch (error) {
      if (!isGone(error)) throw error;
      return { complete: false, reason: 'not_found' };
    }
  }

  private arrive(
    call: Call,
    room: ActiveRoom,
    result: ReplayResult,
    allowance: Allowance,
  ): Resumed {
    if (!result.complete) return result;
    const missed = prepareWithin(allowance, call, result.events);
    if (result.more || missed === null) return { complete: false, reason: 'behind' };
    this.hub.attach(call, room.id, missed);
    return { complete: true, seq: room.head };
  }

  private async resumeOwn(call: Call, position: Position, allowance: Allowance): Promise<Resumed> {
    const log = ownLog(call.actor.id);
    const result = await this.replay.ofOwnLog(log, call.actor.ownEpoch, position);
    if (!result.complete) return { complete: false, reason: result.reason };
    if (result.more || result.events.length > this.config.limits.resumeEvents) {
      return { complete: false, reason: 'behind' };
    }
    const missed = prepareWithin(allowance, call, result.events);
    if (missed === null) return { complete: false, reason: 'behind' };
    const seq = result.events.at(-1)?.data.seq ?? result.head;
    call.connection.own.precede(missed, seq);
    return { complete: true, seq };
  }
}

/** Prepares what was missed; null if it is more than may still be sent at once. */
function prepareWithin(
  allowance: Allowance,
  { connection }: Call,
  events: readonly LogEvent[],
): readonly Prepared[] | null {
  const missed = events.flatMap(({ event, data }) => connection.prepare(event, data) ?? []);
  const bytes = missed.reduce((sum, one) => sum + one.bytes, 0);
  if (bytes > allowance.bytes) return null;
  allowance.bytes -= bytes;
  return missed;
}

/** Tells whether a room, or the membership in it, ended while it was resumed. */
function isGone(error: unknown): boolean {
  return error instanceof ProtocolError && ['not_found', 'not_member'].includes(error.code);
}
