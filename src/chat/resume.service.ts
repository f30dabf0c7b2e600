import { Inject, Injectable } from '@nestjs/common';

import { CONFIG, type Config } from '../config/config.js';
import { ProtocolError } from '../protocol/errors.js';
import { foldRoomName, OWN_ROOM } from '../protocol/names.js';
import type { Position } from '../protocol/models.js';
import type { Resumed } from '../protocol/welcome.js';
import type { ActiveRoom } from '../rooms/active-room.js';
import { ActiveRooms } from '../rooms/active-rooms.js';
import { RoomReplay, type ReplayResult } from '../rooms/room-replay.js';
import { ownLog } from '../users/actor.js';
import type { Call } from './call.js';
import { RoomHub } from './room-hub.js';

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
    for (const [room, position] of Object.entries(positions)) {
      resumed[room] = await (room === OWN_ROOM
        ? this.resumeOwn(call, position)
        : this.resumeRoom(call, foldRoomName(room) ?? '', position));
    }
    return resumed;
  }

  private async resumeRoom(call: Call, id: string, position: Position): Promise<Resumed> {
    const room = await this.rooms.find(id);
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
        this.arrive(call, found, result),
      );
    } catch (error) {
      if (!isGone(error)) throw error;
      return { complete: false, reason: 'not_found' };
    }
  }

  private arrive(call: Call, room: ActiveRoom, result: ReplayResult): Resumed {
    if (!result.complete) return result;
    if (result.more) return { complete: false, reason: 'behind' };
    this.hub.attach(call, room.id, result.events);
    return { complete: true, seq: room.head };
  }

  private async resumeOwn(call: Call, position: Position): Promise<Resumed> {
    const log = ownLog(call.actor.id);
    const result = await this.replay.ofOwnLog(log, call.actor.ownEpoch, position);
    if (!result.complete) return { complete: false, reason: result.reason };
    if (result.more || result.events.length > this.config.limits.resumeEvents) {
      return { complete: false, reason: 'behind' };
    }
    const { connection } = call;
    const { own } = connection;
    const missed = result.events.flatMap(
      ({ event, data }) => connection.prepare(event, data) ?? [],
    );
    const seq = result.events.at(-1)?.data.seq ?? result.head;
    own.precede(missed, seq);
    return { complete: true, seq };
  }
}

/** Tells whether a room, or the membership in it, ended while it was resumed. */
function isGone(error: unknown): boolean {
  return error instanceof ProtocolError && ['not_found', 'not_member'].includes(error.code);
}
