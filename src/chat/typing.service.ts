import { Inject, Injectable } from '@nestjs/common';

import { CONFIG, type Config } from '../config/config.js';
import type { CommandData } from '../protocol/commands.js';
import { ProtocolError } from '../protocol/errors.js';
import { ActiveRooms } from '../rooms/active-rooms.js';
import { refuseOwnLog } from '../rooms/rooms.service.js';
import { toUser } from '../users/actor.js';
import type { Call } from './call.js';
import { RoomHub } from './room-hub.js';

/** Who is typing (P-7.4). */
@Injectable()
export class TypingService {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(ActiveRooms) private readonly rooms: ActiveRooms,
    @Inject(RoomHub) private readonly hub: RoomHub,
  ) {}

  /** Tells the others in a room; repeats within the throttle are answered but not told. */
  async set(call: Call, { room, active }: CommandData<'typing.set'>): Promise<void> {
    refuseOwnLog(room);
    const { actor, connection } = call;
    await this.rooms.getForMember(room, actor.id);
    if (!connection.attachments.has(room)) throw new ProtocolError('not_member');
    const { typingThrottleMs, typingExpireMs } = this.config.limits;
    const now = performance.now();
    const last = actor.typingAt.get(room);
    if (active && last !== undefined && now - last < typingThrottleMs) return;
    if (!active && last === undefined) return;
    if (active) actor.typingAt.set(room, now);
    else actor.typingAt.delete(room);
    const event = { room, user: toUser(actor), active, expiresInMs: active ? typingExpireMs : 0 };
    this.hub.find(room)?.sendEphemeral('typing', event, actor.id);
  }
}
