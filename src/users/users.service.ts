import { Injectable } from '@nestjs/common';

import { parameters, type Sql } from '../database/sql.js';
import { Reader, type Snapshot } from '../database/reader.js';
import type { WriteTransaction } from '../database/write-job.js';
import { Writer } from '../database/writer.js';
import { ProtocolError } from '../protocol/errors.js';
import type { Position, User } from '../protocol/models.js';
import { RoomLog } from '../store/room-log.js';
import { declareOwnLog, ownLog, toUser, type Actor, type Caller } from '../store/actor.js';
import { ReservedNames } from './reserved-names.js';
import { UserEntity } from '../store/user.entity.js';

const TOUCH_BATCH = 100;
const TOUCH_SOME = `UPDATE users SET last_seen_at = $1 WHERE id IN (${parameters(TOUCH_BATCH, 2)})`;

/** Called before a rename, with the number of rooms; throws if the user has renamed too often. */
export type RenameLimit = (tx: WriteTransaction, rooms: number) => void;

/** Stored users and their names. */
@Injectable()
export class UsersService {
  constructor(
    private readonly writer: Writer,
    private readonly reader: Reader,
    private readonly log: RoomLog,
    private readonly reserved: ReservedNames,
  ) {}

  /** Finds a stored user and the position of their own log. */
  async findWithPosition(id: string): Promise<{ user: User; me: Position } | null> {
    return this.reader.snapshot(async ({ sql }) => {
      const row = await sql.get<User & Position>(
        `SELECT u.id, u.name, u.kind, r.epoch, r.head AS seq
           FROM users u JOIN rooms r ON r.id = $1 WHERE u.id = $2`,
        ownLog(id),
        id,
      );
      if (row === undefined) return null;
      const { name, kind, epoch, seq } = row;
      return { user: { id, name, kind }, me: { epoch, seq } };
    });
  }

  /**
   * Returns a stored user (P-8.1).
   *
   * @throws ProtocolError `not_found`
   */
  async get(id: string): Promise<User> {
    const found = await this.find(id);
    if (found === null) throw noSuchUser();
    return found;
  }

  /** Finds a stored user. */
  async find(id: string): Promise<User | null> {
    const found = await this.reader.snapshot(({ manager }: Snapshot) =>
      manager.findOneBy(UserEntity, { id }),
    );
    return found === null ? null : { id, name: found.name, kind: found.kind };
  }

  /**
   * Returns a user in a transaction; `connected` is that user if connected, stored or not.
   *
   * @throws ProtocolError `not_found`
   */
  async getIn(
    { manager }: WriteTransaction,
    id: string,
    connected: Actor | undefined,
  ): Promise<User> {
    if (connected !== undefined) return toUser(connected);
    const found = await manager.findOneBy(UserEntity, { id });
    if (found === null) throw noSuchUser();
    return { id, name: found.name, kind: found.kind };
  }

  /** Stores a guest who does something durable for the first time (P-2.5). */
  async store(tx: WriteTransaction, actor: Actor): Promise<void> {
    if (actor.isStored === true) return;
    const now = tx.now();
    await tx.sql.run(
      `INSERT INTO users (id, name, kind, created_at, last_seen_at) VALUES ($1, $2, $3, $4, $4)
         ON CONFLICT (id) DO NOTHING`,
      actor.id,
      actor.name,
      actor.kind,
      now,
    );
    await tx.sql.run(
      `INSERT INTO rooms (id, kind, title, epoch, head, owner_id, member_count, created_at)
         VALUES ($1, 'own', '', $2, 0, $3, 1, $4) ON CONFLICT (id) DO NOTHING`,
      ownLog(actor.id),
      actor.ownEpoch,
      actor.id,
      now,
    );
    tx.ifUndone(() => (actor.isStored = false));
    actor.isStored = true;
  }

  /** Stores a guest before anything durable; does nothing if the database accepts no writes. */
  async storeEarly(actor: Actor): Promise<void> {
    try {
      await this.writer.run([declareOwnLog(actor)], (tx) => this.store(tx, actor));
    } catch (error) {
      // The guest may still read, and the writer has logged the failure.
      if (!(error instanceof ProtocolError)) throw error;
    }
  }

  /** Renames a user and appends the change to the log of each of their rooms (P-8.2). */
  async rename({ actor, onQueued }: Caller, name: string, limit: RenameLimit): Promise<User> {
    const rename = (tx: WriteTransaction) => this.renameIn(tx, actor, name, limit);
    return this.writer.run([declareOwnLog(actor)], rename, onQueued);
  }

  /**
   * Notes the current time as the last time that a user was present (P-5.6).
   *
   * Returns the name of the user if stored; undefined if the database accepts no writes.
   */
  async touch(id: string): Promise<string | undefined> {
    const touch = 'UPDATE users SET last_seen_at = $1 WHERE id = $2 RETURNING name';
    try {
      const user = await this.writer.run([ownLog(id)], (tx) =>
        tx.sql.get<{ name: string }>(touch, tx.now(), id),
      );
      return user?.name;
    } catch (error) {
      // The user may still read, and the writer has logged the failure.
      if (!(error instanceof ProtocolError)) throw error;
      return undefined;
    }
  }

  /** Notes that users are present, in batches, so that other writes run in between. */
  async touchAll(ids: readonly string[]): Promise<void> {
    for (let from = 0; from < ids.length; from += TOUCH_BATCH) {
      const batch = ids.slice(from, from + TOUCH_BATCH);
      // Padded, so that all batches share one prepared statement.
      const rest = Array.from({ length: TOUCH_BATCH - batch.length }, () => null);
      await this.writer.run([], (tx) => tx.sql.run(TOUCH_SOME, tx.now(), ...batch, ...rest));
    }
  }

  private async renameIn(
    tx: WriteTransaction,
    actor: Actor,
    name: string,
    limit: RenameLimit,
  ): Promise<User> {
    const rooms = await listRooms(tx.sql, actor.id);
    // The own log, which is locked, guards the set of these rooms.
    tx.lock(rooms);
    await this.store(tx, actor);
    const current = await tx.manager.findOneByOrFail(UserEntity, { id: actor.id });
    // Everything later in this transaction has the new name, on all connections.
    await this.requireFree(tx, name);
    const before = actor.name;
    tx.ifUndone(() => (actor.name = before));
    actor.name = name;
    const user = toUser(actor);
    if (current.name === name) return user;
    limit(tx, rooms.length);
    await tx.manager.update(UserEntity, { id: actor.id }, { name });
    for (const log of [...rooms, ownLog(actor.id)]) {
      await this.log.append(tx, log, 'user.updated', { user });
    }
    return user;
  }

  /** Throws if a name belongs to a bot, including one that was registered a moment ago. */
  private async requireFree({ sql }: WriteTransaction, name: string): Promise<void> {
    for (const bot of await sql.all<{ name: string }>('SELECT name FROM bot_accounts')) {
      this.reserved.reserve(bot.name);
    }
    this.reserved.check(name);
  }
}

async function listRooms(sql: Sql, userId: string): Promise<string[]> {
  const rows = await sql.all<{ room: string }>(
    'SELECT room_id AS room FROM members WHERE user_id = $1 ORDER BY room_id',
    userId,
  );
  return rows.map(({ room }) => room);
}

function noSuchUser(): ProtocolError {
  return new ProtocolError('not_found', { message: 'There is no such user.' });
}
