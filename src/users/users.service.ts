import { Inject, Injectable } from '@nestjs/common';

import { Reader, type Snapshot } from '../database/reader.js';
import { Writer, type WriteTransaction } from '../database/writer.js';
import { ProtocolError } from '../protocol/errors.js';
import type { Position, User } from '../protocol/models.js';
import { RoomLog } from '../rooms/room-log.js';
import { ownLog, toUser, type Actor, type Caller } from './actor.js';
import { ReservedNames } from './reserved-names.js';
import { UserEntity } from './user.entity.js';

/** Called before a name is changed; throws when the user may not change it again so soon. */
export type RenameLimit = (tx: WriteTransaction) => void;

/** Users that have done something that lasts, and their names. */
@Injectable()
export class UsersService {
  constructor(
    @Inject(Writer) private readonly writer: Writer,
    @Inject(Reader) private readonly reader: Reader,
    @Inject(RoomLog) private readonly log: RoomLog,
    @Inject(ReservedNames) private readonly reserved: ReservedNames,
  ) {}

  /** Finds a stored user with the position of the user's own log. */
  async findWithPosition(id: string): Promise<{ user: User; me: Position } | null> {
    return this.reader.snapshot(async ({ sql }) => {
      const row = await sql.get<User & Position>(
        `SELECT u.id, u.name, u.kind, r.epoch, r.head AS seq
           FROM users u JOIN rooms r ON r.id = ? WHERE u.id = ?`,
        ownLog(id),
        id,
      );
      if (row === undefined) return null;
      const { name, kind, epoch, seq } = row;
      return { user: { id, name, kind }, me: { epoch, seq } };
    });
  }

  /**
   * Gives a stored user (P-8.1).
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
   * Gives a user in a transaction; `here` is that user, if connected, who may not be stored yet.
   *
   * By a statement and not by the manager: what is refused shall not count as a change.
   *
   * @throws ProtocolError `not_found`
   */
  async getIn({ sql }: WriteTransaction, id: string, here: Actor | undefined): Promise<User> {
    if (here !== undefined) return toUser(here);
    const found = await sql.get<User>('SELECT id, name, kind FROM users WHERE id = ?', id);
    if (found === undefined) throw noSuchUser();
    return found;
  }

  /** Writes a guest to the database at the first act that lasts (P-2.5). */
  async store(tx: WriteTransaction, actor: Actor): Promise<void> {
    if (actor.isStored === true) return;
    const now = Date.now();
    await tx.sql.run(
      `INSERT INTO users (id, name, kind, created_at, last_seen_at) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (id) DO NOTHING`,
      actor.id,
      actor.name,
      actor.kind,
      now,
      now,
    );
    await tx.sql.run(
      `INSERT INTO rooms (id, title, epoch, head, owner_id, member_count, created_at)
         VALUES (?, '', ?, 0, ?, 1, ?) ON CONFLICT (id) DO NOTHING`,
      ownLog(actor.id),
      actor.ownEpoch,
      actor.id,
      now,
    );
    tx.ifUndone(() => (actor.isStored = false));
    actor.isStored = true;
  }

  /** Changes the name of a user, in each room of the user (P-8.2). */
  async rename({ actor, placed }: Caller, name: string, limit: RenameLimit): Promise<User> {
    return this.writer.run((tx) => this.renameIn(tx, actor, name, limit), placed);
  }

  /**
   * Notes that a user was here until now, or comes, as far as changes are taken (P-5.6).
   *
   * Gives the name of the user, if it is stored.
   */
  async touch(id: string): Promise<string | undefined> {
    const touch = 'UPDATE users SET last_seen_at = ? WHERE id = ? RETURNING name';
    try {
      const user = await this.writer.run(({ sql }) =>
        sql.get<{ name: string }>(touch, Date.now(), id),
      );
      return user?.name;
    } catch (error) {
      // Who comes may read at least, and the writer has told what is wrong.
      if (!(error instanceof ProtocolError)) throw error;
      return undefined;
    }
  }

  /** Notes that users are here now, in one transaction. */
  async touchAll(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    const now = Date.now();
    await this.writer.run(async (tx) => {
      for (const id of ids) {
        await tx.sql.run('UPDATE users SET last_seen_at = ? WHERE id = ?', now, id);
      }
    });
  }

  private async renameIn(
    tx: WriteTransaction,
    actor: Actor,
    name: string,
    limit: RenameLimit,
  ): Promise<User> {
    await this.store(tx, actor);
    const current = await tx.manager.findOneByOrFail(UserEntity, { id: actor.id });
    // What follows in this transaction, from any connection of the user, bears the new name.
    this.reserved.check(name);
    const before = actor.name;
    tx.ifUndone(() => (actor.name = before));
    actor.name = name;
    const user = toUser(actor);
    if (current.name === name) return user;
    limit(tx);
    await tx.manager.update(UserEntity, { id: actor.id }, { name });
    const rooms = await tx.sql.all<{ room: string }>(
      'SELECT room_id AS room FROM members WHERE user_id = ? ORDER BY room_id',
      actor.id,
    );
    for (const log of [...rooms.map(({ room }) => room), ownLog(actor.id)]) {
      await this.log.append(tx, log, 'user.updated', { user });
    }
    return user;
  }
}

function noSuchUser(): ProtocolError {
  return new ProtocolError('not_found', { message: 'There is no such user.' });
}
