import { Inject, Injectable } from '@nestjs/common';

import { CONFIG, type Config } from '../config/config.js';
import { Reader, type Snapshot } from '../database/reader.js';
import { Writer, type AppendedEvent, type CommitListener } from '../database/writer.js';
import { messagesBefore } from '../messages/message-rows.js';
import { kindOfRoom, MAX_SEQ, ProtocolError } from '../protocol/index.js';
import { ownerOfLog } from '../users/actor.js';
import { ActiveRoom, type RoomState } from './active-room.js';
import { RoomLog } from './room-log.js';
import { findRoom, isMember, listMembers, noSuchRoom } from './room-rows.js';

const KEPT_ROOMS = 2_048;
const KEPT_EVENTS = 256;

/** A room that is being read, with what was committed meanwhile. */
interface Loading {
  readonly room: Promise<ActiveRoom | null>;
  readonly missed: AppendedEvent[];
}

/** The rooms in use, each loaded once and then kept at its head by what is committed. */
@Injectable()
export class ActiveRooms implements CommitListener {
  private readonly rooms = new Map<string, ActiveRoom>();
  private readonly loading = new Map<string, Loading>();

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(Reader) private readonly reader: Reader,
    @Inject(RoomLog) private readonly log: RoomLog,
    @Inject(Writer) writer: Writer,
  ) {
    writer.listen(this);
  }

  /** Finds a room at its head; null if there is none. */
  async find(id: string): Promise<ActiveRoom | null> {
    const room = this.rooms.get(id);
    if (room !== undefined) return room;
    return this.loading.get(id)?.room ?? this.load(id);
  }

  /** Gives a room at its head, if it is in memory. */
  peek(id: string): ActiveRoom | undefined {
    return this.rooms.get(id);
  }

  /**
   * Gives a room at its head.
   *
   * @throws ProtocolError `not_found`
   */
  async get(id: string): Promise<ActiveRoom> {
    const room = await this.find(id);
    if (room === null) throw noSuchRoom();
    return room;
  }

  /**
   * Finds a room at its head for who may know of it: a direct room for its members alone (P-5.16).
   *
   * For anybody else such a room costs the same whether it exists or not, and is not loaded.
   */
  async findFor(id: string, userId: string): Promise<ActiveRoom | null> {
    if (kindOfRoom(id) === 'public') return this.find(id);
    const here = this.rooms.get(id);
    if (here?.members.has(userId) === true) return here;
    if (!(await this.reader.snapshot(({ sql }) => isMember(sql, id, userId)))) return null;
    const room = await this.find(id);
    return room?.members.has(userId) === true ? room : null;
  }

  /**
   * Gives a room at its head to who may know of it.
   *
   * @throws ProtocolError `not_found`
   */
  async getFor(id: string, userId: string): Promise<ActiveRoom> {
    const room = await this.findFor(id, userId);
    if (room === null) throw noSuchRoom();
    return room;
  }

  /**
   * Gives a room at its head for one of its members.
   *
   * @throws ProtocolError `not_found`, `not_member`
   */
  async getForMember(id: string, userId: string): Promise<ActiveRoom> {
    const room = await this.getFor(id, userId);
    if (!room.members.has(userId)) throw new ProtocolError('not_member');
    return room;
  }

  /** Tells whether a room is still the one in memory, with a user among its members. */
  isCurrentFor(room: ActiveRoom, userId: string): boolean {
    return this.rooms.get(room.id) === room && room.members.has(userId);
  }

  committed(events: readonly AppendedEvent[]): void {
    for (const event of events) {
      if (this.rooms.get(event.log)?.apply(event) === false) this.rooms.delete(event.log);
      this.loading.get(event.log)?.missed.push(event);
      this.renameEverywhere(event);
    }
  }

  lost(): void {
    this.rooms.clear();
    // What is being loaded may be older: whoever asks from now on starts over.
    this.loading.clear();
  }

  /** A user's messages stay in rooms that the user has left, whose logs do not tell the name. */
  private renameEverywhere({ log, event }: AppendedEvent): void {
    if (ownerOfLog(log) === null || event.event !== 'user.updated') return;
    for (const room of this.rooms.values()) room.rename(event.data.user);
  }

  private load(id: string): Promise<ActiveRoom | null> {
    const missed: AppendedEvent[] = [];
    const room = this.read(id, missed);
    this.loading.set(id, { room, missed });
    return room;
  }

  private async read(id: string, missed: readonly AppendedEvent[]): Promise<ActiveRoom | null> {
    const isCurrent = () => this.loading.get(id)?.missed === missed;
    try {
      const state = await this.reader.snapshot((snapshot) => this.readState(snapshot, id));
      if (state === null) return null;
      const room = new ActiveRoom(state, this.config.limits.historyPage);
      for (const event of missed) room.apply(event);
      if (isCurrent()) this.keep(id, room);
      return room;
    } finally {
      if (isCurrent()) this.loading.delete(id);
    }
  }

  private keep(id: string, room: ActiveRoom): void {
    this.rooms.set(id, room);
    if (this.rooms.size <= KEPT_ROOMS) return;
    const [oldest] = this.rooms.keys();
    if (oldest !== undefined) this.rooms.delete(oldest);
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
