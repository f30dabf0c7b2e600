import { Inject, Injectable } from '@nestjs/common';

import { CONFIG, type Config } from '../config/config.js';
import { Reader, type Snapshot } from '../database/reader.js';
import type { AppendedEvent } from '../database/write-job.js';
import type { FollowedLog } from '../store/followed-log.js';
import { HeadConfirmation, type ConfirmedLogs } from '../store/head-confirmation.js';
import { LogFeed, type FeedListener } from '../store/log-feed.js';
import { messagesBefore } from '../store/message-rows.js';
import { isDirectRoomId, MAX_SEQ } from '../protocol/index.js';
import { ownerOfLog } from '../store/actor.js';
import { ActiveRoom, KEPT_EVENTS, type RoomState } from './active-room.js';
import { RoomCache } from './room-cache.js';
import { RoomLog } from '../store/room-log.js';
import { findRoom, isMember, listMembers } from '../store/room-rows.js';
import { may, noSuchRoom, requireMay } from './policy.js';

/** A room that is being loaded, with the events committed meanwhile. */
interface Loading {
  /** Number of loads before this one. */
  readonly nth: number;
  readonly room: Promise<ActiveRoom | null>;
  readonly missed: AppendedEvent[];
}

/** Rooms in memory, each loaded once and then kept at its head by committed events. */
@Injectable()
export class ActiveRooms implements FeedListener {
  private readonly rooms: RoomCache;
  /** The logs of the rooms in memory. */
  private readonly followed = new Map<string, FollowedLog>();
  private readonly loading = new Map<string, Loading>();
  /** Number of loads so far. */
  private loads = 0;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly reader: Reader,
    private readonly log: RoomLog,
    private readonly feed: LogFeed,
    private readonly heads: HeadConfirmation,
  ) {
    this.rooms = new RoomCache(config.roomsInMemory, (id) => this.unfollow(id));
  }

  /**
   * Returns a room with all events that were committed before this call; null if there is none.
   *
   * `confirmed` is the set of the command, if it reads several rooms, or one repeatedly.
   */
  async find(id: string, confirmed?: ConfirmedLogs): Promise<ActiveRoom | null> {
    const loadsBefore = this.loads;
    for (;;) {
      await this.heads.confirm(id, confirmed);
      const room = this.rooms.find(id);
      if (room !== undefined) return room;
      const loading = this.loading.get(id) ?? this.load(id);
      const loaded = await loading.room;
      // A load that others began may have read the room before this call.
      if (loading.nth < loadsBefore && this.heads.isShared) continue;
      confirmed?.add(id);
      return loaded;
    }
  }

  /** Returns a room at its head if it is in memory. */
  peek(id: string): ActiveRoom | undefined {
    return this.rooms.find(id);
  }

  /**
   * Returns a room at its head.
   *
   * @throws ProtocolError `not_found`
   */
  async get(id: string): Promise<ActiveRoom> {
    const room = await this.find(id);
    if (room === null) throw noSuchRoom();
    return room;
  }

  /**
   * Returns a room at its head; null if there is none, or none that the user may know of.
   *
   * A direct room costs strangers the same whether it exists or not, and they do not load it
   * (P-5.16).
   */
  async findFor(
    id: string,
    userId: string,
    confirmed: ConfirmedLogs = new Set(),
  ): Promise<ActiveRoom | null> {
    await this.heads.confirm(id, confirmed);
    const active = this.rooms.find(id);
    if (active !== undefined && may('find', active.accessOf(userId))) return active;
    if (isDirectRoomId(id)) {
      const isKnown = await this.reader.snapshot(({ sql }) => isMember(sql, id, userId));
      if (!isKnown) return null;
    }
    const room = await this.find(id, confirmed);
    return room !== null && may('find', room.accessOf(userId)) ? room : null;
  }

  /**
   * Returns a room at its head to a user who may know of it.
   *
   * @throws ProtocolError `not_found`
   */
  async getFor(id: string, userId: string, confirmed?: ConfirmedLogs): Promise<ActiveRoom> {
    const room = await this.findFor(id, userId, confirmed);
    if (room === null) throw noSuchRoom();
    return room;
  }

  /**
   * Returns a room at its head to one of its members.
   *
   * @throws ProtocolError `not_found`, `not_member`
   */
  async getForMember(id: string, userId: string, confirmed?: ConfirmedLogs): Promise<ActiveRoom> {
    const room = await this.getFor(id, userId, confirmed);
    requireMay('read', room.accessOf(userId));
    return room;
  }

  /** Notes whether a connection receives a room, which then stays in memory. */
  setReceived(id: string, isReceived: boolean): void {
    this.rooms.setReceived(id, isReceived);
  }

  /** Returns whether a room is still the one in memory and a user is still a member. */
  isCurrentFor(room: ActiveRoom, userId: string): boolean {
    return this.rooms.find(room.id) === room && room.members.has(userId);
  }

  committed(events: readonly AppendedEvent[]): void {
    for (const event of events) {
      if (this.rooms.find(event.log)?.apply(event) === false) this.reverted(event.log);
      this.loading.get(event.log)?.missed.push(event);
      this.renameEverywhere(event);
    }
  }

  /** Lets later calls load the rooms again that are being loaded: those may be outdated. */
  restored(): void {
    this.loading.clear();
  }

  /** Removes a room that is not what the database has. */
  reverted(id: string): void {
    this.rooms.remove(id);
    this.unfollow(id);
    this.loading.delete(id);
  }

  /** Rooms that a user has left keep the user's messages, but their logs do not get the rename. */
  private renameEverywhere({ log, event }: AppendedEvent): void {
    if (ownerOfLog(log) === null || event.event !== 'user.updated') return;
    for (const room of this.rooms.all()) room.rename(event.data.user);
  }

  private load(id: string): Loading {
    const missed: AppendedEvent[] = [];
    const loading = { nth: this.loads++, room: this.read(id, missed), missed };
    this.loading.set(id, loading);
    return loading;
  }

  private async read(id: string, missed: AppendedEvent[]): Promise<ActiveRoom | null> {
    const isCurrent = () => this.loading.get(id)?.missed === missed;
    try {
      const state = await this.reader.snapshot((snapshot) => this.readState(snapshot, id));
      if (state === null) return null;
      const room = new ActiveRoom(state, this.config.limits.historyPage);
      missed.sort((a, b) => a.event.data.seq - b.event.data.seq);
      for (const event of missed) room.apply(event);
      if (isCurrent()) this.add(room, missed.at(-1)?.event.data.seq);
      return room;
    } finally {
      if (isCurrent()) this.loading.delete(id);
    }
  }

  /** Adds a room, whose log has reached a position. */
  private add(room: ActiveRoom, known?: number): void {
    const { id, epoch, head: seq } = room;
    const followed = this.feed.follow(id, { epoch, seq }, known);
    this.unfollow(id);
    this.followed.set(id, followed);
    this.rooms.add(room);
  }

  private unfollow(id: string): void {
    const followed = this.followed.get(id);
    if (followed !== undefined) this.feed.unfollow(followed);
    this.followed.delete(id);
  }

  private async readState({ sql }: Snapshot, id: string): Promise<RoomState | null> {
    if (ownerOfLog(id) !== null) return null;
    const found = await findRoom(sql, id);
    if (found === null) return null;
    const { info, epoch, head } = found;
    const { historyPage } = this.config.limits;
    const members = await listMembers(sql, info);
    const messages = await messagesBefore(sql, id, MAX_SEQ, historyPage + 1);
    const events = await this.log.read(sql, id, Math.max(0, head - KEPT_EVENTS), KEPT_EVENTS);
    const hasMore = messages.length > historyPage;
    return {
      epoch,
      head,
      info,
      members,
      messages: messages.slice(0, historyPage).reverse(),
      hasMore,
      events,
    };
  }
}
