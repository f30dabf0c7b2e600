import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';

import { CONFIG, type Config } from '../../config/config.js';
import type { RoomPresence } from '../../protocol/models.js';
import type { Channel } from './channel.js';
import { Channels } from './channels.js';

/** Number of members above which ephemeral events carry numbers and no names (P-7.2). */
export const NAMED_USERS = 100;

/** Announces who is online: at most one event per interval and room (P-7.3). */
@Injectable()
export class Presence implements OnModuleDestroy {
  private changes = new Map<string, Map<string, boolean>>();
  /** Number of connections that receive a room without a user, and the number announced last. */
  private readonly listeners = new Map<string, { count: number; announced: number }>();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly channels: Channels,
  ) {}

  onModuleDestroy(): void {
    clearTimeout(this.timer);
  }

  /** Notes that a user is online or offline; a change undone within the interval is dropped. */
  changed(log: string, userId: string, online: boolean): void {
    let room = this.changes.get(log);
    if (room === undefined) {
      room = new Map();
      this.changes.set(log, room);
    }
    if (room.get(userId) === !online) room.delete(userId);
    else room.set(userId, online);
    this.flushSoon();
  }

  /** Sets how many connections receive a room without a user (P-10.7). */
  setListeners(log: string, count: number): void {
    const announced = this.listeners.get(log)?.announced ?? 0;
    this.listeners.set(log, { count, announced });
    if (count === announced) return;
    if (!this.changes.has(log)) this.changes.set(log, new Map());
    this.flushSoon();
  }

  /** Returns who is online in a room now (P-7.2). */
  of(log: string, channel: Channel | undefined, memberCount: number): RoomPresence {
    const listeners = this.countListeners(log);
    if (channel === undefined) return { online: [], count: 0, ...listeners };
    const { userCount: count } = channel;
    if (memberCount > NAMED_USERS) return { count, ...listeners };
    return { online: [...channel.userIds()], count, ...listeners };
  }

  /** Returns how many connections receive a room without a user, if any do. */
  countListeners(log: string): { listeners?: number } {
    const count = this.listeners.get(log)?.count ?? 0;
    return count === 0 ? {} : { listeners: count };
  }

  private flushSoon(): void {
    this.timer ??= setTimeout(() => this.flush(), this.config.limits.presenceIntervalMs);
  }

  private flush(): void {
    this.timer = undefined;
    const changes = this.changes;
    this.changes = new Map();
    for (const [log, users] of changes) this.announce(log, users);
  }

  private announce(log: string, users: ReadonlyMap<string, boolean>): void {
    const room = this.channels.findCounted(log);
    const listeners = this.listenersToAnnounce(log);
    if (room === undefined || (users.size === 0 && listeners === null)) return;
    const { userCount: count } = room.channel;
    const about = { room: log, count, ...(listeners ?? this.countListeners(log)) };
    if (room.memberCount > NAMED_USERS) {
      room.channel.sendEphemeral('presence', about);
      return;
    }
    const online = [...users].filter(([, isOnline]) => isOnline).map(([id]) => id);
    const offline = [...users].filter(([, isOnline]) => !isOnline).map(([id]) => id);
    room.channel.sendEphemeral('presence', { ...about, online, offline });
  }

  /** Returns the number of listeners if it changed since it was announced, even to 0. */
  private listenersToAnnounce(log: string): { listeners: number } | null {
    const known = this.listeners.get(log);
    if (known === undefined || known.count === known.announced) return null;
    known.announced = known.count;
    return { listeners: known.count };
  }
}
