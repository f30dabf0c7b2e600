import { Inject, Injectable } from '@nestjs/common';

import { CONFIG, type Config } from '../../config/config.js';
import type { CommandData } from '../../protocol/commands.js';
import { Reader } from '../../database/reader.js';
import type { Room } from '../../protocol/models.js';
import { ActiveRooms } from '../../rooms/active-rooms.js';
import { dependsOnBlocks, notMember, refuseOwnLog, requireAccess } from '../../rooms/policy.js';
import { toUser, type Actor } from '../../store/actor.js';
import type { Call } from '../connections/call.js';
import type { PresentUser } from '../connections/session.js';
import { CLUSTER_PORT, type ClusterPort } from '../ports/cluster-port.js';
import { RoomHub } from './room-hub.js';
import { TypingAnnouncer } from './typing-announcer.js';

/** Typing marks of users and bots (P-7.4). */
@Injectable()
export class TypingService {
  /** When typing was last announced, by user and room, in that order. */
  private readonly announcedAt = new Map<string, number>();

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly rooms: ActiveRooms,
    private readonly reader: Reader,
    private readonly hub: RoomHub,
    private readonly announcer: TypingAnnouncer,
    @Inject(CLUSTER_PORT) private readonly cluster: ClusterPort | null,
  ) {}

  /** Sets a typing mark; repeats within the throttle are answered but not announced. */
  async set(call: Call, { room, active }: CommandData<'typing.set'>): Promise<void> {
    refuseOwnLog(room);
    const { actor, connection } = call;
    const { info } = await this.rooms.getForMember(room, actor.id);
    if (actor.kind !== 'bot' && !this.hub.isAttached(connection, room)) {
      throw notMember();
    }
    await this.requireMayType(actor, info);
    if (active ? !this.mayAnnounce(actor, room) : !actor.isTypingIn(room)) return;
    if (active) actor.startTyping(room);
    else actor.stopTyping(room);
    this.changed(room, actor, active);
  }

  /** Announces that a bot, which has no connection, is typing; throttled (P-13.2). */
  async announce(actor: Actor, room: string): Promise<void> {
    await this.requireMayType(actor, (await this.rooms.get(room)).info);
    if (this.mayAnnounce(actor, room)) this.changed(room, actor, true);
  }

  private changed(room: string, actor: Actor, active: boolean): void {
    const user = toUser(actor);
    this.announcer.changed(room, user, active);
    this.cluster?.typing(room, user, active);
  }

  /** Reads blocks from the database: rooms in memory do not know them. */
  private async requireMayType({ id }: Actor, { id: room, kind }: Room): Promise<void> {
    if (!dependsOnBlocks('type', kind)) return;
    await this.reader.snapshot(({ sql }) => requireAccess(sql, 'type', room, id));
  }

  /** Removes the mark of a sender, who may be announced again at once (P-7.5). */
  endByMessage(user: PresentUser, room: string): void {
    user.stopTyping(room);
    this.announcer.forget(room, user.id);
    this.announcedAt.delete(keyOf(user, room));
  }

  /** Keeps the times here, since a user may disconnect and return within the throttle. */
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
