import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';

import { CONFIG, type Config } from '../../config/config.js';
import type { User } from '../../protocol/models.js';
import type { Channel } from './channel.js';
import { Channels } from './channels.js';
import { NAMED_USERS } from './presence.js';

interface Mark {
  readonly user: User;
  readonly expiresAt: number;
  /** Whether the user is connected to another server. */
  readonly isElsewhere: boolean;
}

/** The users who are typing in one room, and the changes that are not announced yet. */
interface RoomTyping {
  readonly typing: Map<string, Mark>;
  changes: Map<string, { readonly user: User; readonly active: boolean }>;
  announcedAt: number;
  timer: NodeJS.Timeout | null;
}

/** Announces who is typing: at once, and then at most once per interval (P-7.4). */
@Injectable()
export class TypingAnnouncer implements OnModuleDestroy {
  /** Rooms by id, in the order of their last announcement. */
  private readonly rooms = new Map<string, RoomTyping>();

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly channels: Channels,
  ) {}

  onModuleDestroy(): void {
    for (const { timer } of this.rooms.values()) clearTimeout(timer ?? undefined);
    this.rooms.clear();
  }

  /**
   * Announces a change; a change that is undone before it was announced is dropped.
   *
   * `isElsewhere` tells that the user is connected to another server.
   */
  changed(id: string, user: User, active: boolean, isElsewhere = false): void {
    const room = this.rooms.get(id) ?? newRoom();
    this.rooms.set(id, room);
    const now = performance.now();
    const { typingExpireMs, typingIntervalMs } = this.config.limits;
    if (active) room.typing.set(user.id, { user, expiresAt: now + typingExpireMs, isElsewhere });
    else room.typing.delete(user.id);
    if (room.changes.get(user.id)?.active === !active) room.changes.delete(user.id);
    else room.changes.set(user.id, { user, active });
    if (room.timer !== null) return;
    const waitMs = room.announcedAt + typingIntervalMs - now;
    if (waitMs <= 0) this.announce(id, room);
    else room.timer = setTimeout(() => this.announce(id, room), waitMs).unref();
  }

  /** Forgets a user whose mark the clients remove by themselves (P-7.5). */
  forget(id: string, userId: string): void {
    const room = this.rooms.get(id);
    room?.typing.delete(userId);
    room?.changes.delete(userId);
  }

  private announce(id: string, room: RoomTyping): void {
    room.timer = null;
    const { changes } = room;
    room.changes = new Map();
    const found = this.channels.findCounted(id);
    if (found === undefined || changes.size === 0) return;
    room.announcedAt = performance.now();
    this.rooms.delete(id);
    this.dropQuiet(room.announcedAt);
    this.rooms.set(id, room);
    dropExpired(room, found.channel);
    const data = { room: id, ...this.describe(room, changes, found.memberCount) };
    const [only] = changes.keys();
    found.channel.sendEphemeral('typing', data, changes.size === 1 ? only : undefined);
  }

  private describe({ typing }: RoomTyping, changes: RoomTyping['changes'], memberCount: number) {
    const counted = { count: typing.size, expiresInMs: this.config.limits.typingExpireMs };
    if (memberCount > NAMED_USERS) return counted;
    const all = [...changes.values()];
    const started = all.filter(({ user, active }) => active && typing.has(user.id));
    const stopped = all.filter(({ active }) => !active);
    return {
      started: started.map(({ user }) => user),
      stopped: stopped.map(({ user }) => user.id),
      ...counted,
    };
  }

  /** Forgets rooms in which every announced mark has expired. */
  private dropQuiet(now: number): void {
    for (const [id, { announcedAt, timer }] of this.rooms) {
      if (now - announcedAt < this.config.limits.typingExpireMs) break;
      if (timer === null) this.rooms.delete(id);
    }
  }
}

function newRoom(): RoomTyping {
  return { typing: new Map(), changes: new Map(), announcedAt: -Infinity, timer: null };
}

/** Forgets expired marks, and people who left the room; bots have no connections in it. */
function dropExpired({ typing }: RoomTyping, channel: Channel): void {
  const now = performance.now();
  for (const [id, { user, expiresAt, isElsewhere }] of typing) {
    const isPresent = isElsewhere || user.kind === 'bot' || channel.has(id);
    if (expiresAt <= now || !isPresent) typing.delete(id);
  }
}
