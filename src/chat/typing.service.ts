import { Inject, Injectable } from '@nestjs/common';

import { CONFIG, type Config } from '../config/config.js';
import type { CommandData } from '../protocol/commands.js';
import { Reader } from '../database/reader.js';
import { ProtocolError } from '../protocol/errors.js';
import { kindOfRoom } from '../protocol/names.js';
import { ActiveRooms } from '../rooms/active-rooms.js';
import { requireUnblocked } from '../rooms/direct-rows.js';
import { refuseOwnLog } from '../rooms/rooms.service.js';
import { toUser, type Actor } from '../users/actor.js';
import type { Call } from './call.js';
import { RoomHub } from './room-hub.js';
import type { PresentUser } from './session.js';

/** Who is typing (P-7.4). */
@Injectable()
export class TypingService {
  /** When typing was last announced, by user and room, the longest ago in front. */
  private readonly announcedAt = new Map<string, number>();

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(ActiveRooms) private readonly rooms: ActiveRooms,
    @Inject(Reader) private readonly reader: Reader,
    @Inject(RoomHub) private readonly hub: RoomHub,
  ) {}

  /** Tells the others in a room; repeats within the throttle are answered but not told. */
  async set(call: Call, { room, active }: CommandData<'typing.set'>): Promise<void> {
    refuseOwnLog(room);
    const { actor, connection } = call;
    await this.rooms.getForMember(room, actor.id);
    if (actor.kind !== 'bot' && !connection.attachments.has(room))
      throw new ProtocolError('not_member');
    await this.requireUnblocked(actor, room);
    if (active ? !this.mayAnnounce(actor, room) : !actor.typingIn.has(room)) return;
    if (active) actor.typingIn.add(room);
    else actor.typingIn.delete(room);
    this.tell(actor, room, active);
  }

  /** Tells that a bot writes, which has no connection; within the throttle only once (P-13.2). */
  async announce(actor: Actor, room: string): Promise<void> {
    await this.requireUnblocked(actor, room);
    if (this.mayAnnounce(actor, room)) this.tell(actor, room, true);
  }

  /** Typing lasts no longer than a moment: what is committed now is what counts. */
  private async requireUnblocked({ id }: Actor, room: string): Promise<void> {
    if (kindOfRoom(room) === 'public') return;
    await this.reader.snapshot(({ sql }) => requireUnblocked(sql, room, id));
  }

  private tell(actor: Actor, room: string, active: boolean): void {
    const expiresInMs = active ? this.config.limits.typingExpireMs : 0;
    const event = { room, user: toUser(actor), active, expiresInMs };
    this.hub.find(room)?.sendEphemeral('typing', event, actor.id);
  }

  /** A message takes the mark off its sender, who may be announced again at once (P-7.5). */
  endByMessage(user: PresentUser, room: string): void {
    user.stopTyping(room);
    this.announcedAt.delete(keyOf(user, room));
  }

  /** Kept here and not with the user, who may leave and come back within the throttle. */
  private mayAnnounce(user: Actor, room: string): boolean {
    const now = performance.now();
    for (const [key, at] of this.announcedAt) {
      if (now - at < this.config.limits.typingThrottleMs) break;
      this.announcedAt.delete(key);
    }
    const key = keyOf(user, room);
    if (this.announcedAt.has(key)) return false;
    this.announcedAt.set(key, now);
    return true;
  }
}

function keyOf({ id }: Actor, room: string): string {
  return `${id} ${room}`;
}
