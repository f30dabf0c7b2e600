import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';

import { CONFIG, type Config } from '../config/config.js';
import type { RoomPresence } from '../protocol/models.js';
import type { Channel } from './channel.js';

const NAMED_USERS = 100;

/** Gives the channel of a room and the number of its members. */
export type FindRoom = (log: string) => { channel: Channel; memberCount: number } | undefined;

/** Who is online in a room: one event an interval and room at most (P-7.3). */
@Injectable()
export class Presence implements OnModuleDestroy {
  private changes = new Map<string, Map<string, boolean>>();
  private timer: NodeJS.Timeout | undefined;
  private findRoom: FindRoom = () => undefined;

  constructor(@Inject(CONFIG) private readonly config: Config) {}

  /** Sets where rooms are found. */
  use(findRoom: FindRoom): void {
    this.findRoom = findRoom;
  }

  onModuleDestroy(): void {
    clearTimeout(this.timer);
  }

  /** Notes that a user came or went; a user who comes back within the interval changes nothing. */
  changed(log: string, userId: string, online: boolean): void {
    let room = this.changes.get(log);
    if (room === undefined) {
      room = new Map();
      this.changes.set(log, room);
    }
    if (room.get(userId) === !online) room.delete(userId);
    else room.set(userId, online);
    this.timer ??= setTimeout(() => this.flush(), this.config.limits.presenceIntervalMs);
  }

  /** Gives who is online now (P-7.2). */
  of(channel: Channel | undefined, memberCount: number): RoomPresence {
    if (channel === undefined) return { online: [], count: 0 };
    if (memberCount > NAMED_USERS) return { count: channel.userCount };
    return { online: [...channel.userIds()], count: channel.userCount };
  }

  private flush(): void {
    this.timer = undefined;
    const changes = this.changes;
    this.changes = new Map();
    for (const [log, users] of changes) this.announce(log, users);
  }

  private announce(log: string, users: ReadonlyMap<string, boolean>): void {
    const room = this.findRoom(log);
    if (room === undefined || users.size === 0) return;
    const count = room.channel.userCount;
    if (room.memberCount > NAMED_USERS) {
      room.channel.sendEphemeral('presence', { room: log, count });
      return;
    }
    const online = [...users].filter(([, here]) => here).map(([id]) => id);
    const offline = [...users].filter(([, here]) => !here).map(([id]) => id);
    room.channel.sendEphemeral('presence', { room: log, online, offline, count });
  }
}
