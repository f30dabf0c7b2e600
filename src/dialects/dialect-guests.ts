import {
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';

import { CONFIG, type Config } from '../config/config.js';
import type { Fence } from '../database/lease.js';
import { PeriodicJob } from '../database/periodic-job.js';
import { Reader } from '../database/reader.js';
import { Writer } from '../database/writer.js';
import type { User } from '../protocol/models.js';
import { foldDisplayName } from '../protocol/names.js';
import { RoomsService } from '../rooms/rooms.service.js';
import { ownLog, type Actor } from '../store/actor.js';
import { DialectGuestEntity } from '../store/dialect-guest.entity.js';
import { GuestPresence } from './guest-presence.js';

/** Selects the rooms to leave and to restore: direct rooms are never left, nor restored by a name. */
const PUBLIC_ROOMS = `SELECT r.id AS room FROM members m JOIN rooms r ON r.id = m.room_id
  WHERE m.user_id = $1 AND r.kind <> 'direct' ORDER BY r.id`;

/** The properties by which a returning guest is recognized. */
export interface GuestKey {
  readonly dialect: string;
  readonly name: string;
  readonly address: string;
}

interface ReturningGuest extends Actor {
  readonly rooms: readonly string[];
}

interface AwayGuest extends Omit<ReturningGuest, 'rooms' | 'kind'> {
  /** Whether the guest is in a direct room; SQLite returns a number. */
  readonly hasDirects: unknown;
}

/**
 * Tracks guests whose clients cannot resume; they leave their rooms soon after they disconnect.
 *
 * They are stored in the database, so that a restart neither leaves them in their rooms forever nor
 * announces that everyone left and returned. Servers that share a database ask it who is present,
 * and the one that holds the lease removes those who are away.
 */
@Injectable()
export class DialectGuests implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger('Dialects');
  /** Ids of connected guests, whom no other connection can resume. */
  private readonly present = new Set<string>();
  /** Runs on servers that share a database. */
  private readonly job: PeriodicJob;
  private isStopped = false;
  private readonly timers = new Map<string, NodeJS.Timeout>();

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly writer: Writer,
    private readonly reader: Reader,
    private readonly rooms: RoomsService,
    private readonly presence: GuestPresence,
  ) {
    this.job = new PeriodicJob({
      name: 'expiry of legacy guests',
      pauseMs: presence.renewMs,
      run: (signal) => this.expire(signal),
    });
  }

  /** Gives guests present at shutdown the full grace period after a restart. */
  async onApplicationBootstrap(): Promise<void> {
    if (this.presence.isShared) {
      this.job.start();
      return;
    }
    const guests = await this.reader.snapshot(({ manager }) => manager.find(DialectGuestEntity));
    for (const { userId } of guests) this.leaveLater(userId);
  }

  async onModuleDestroy(): Promise<void> {
    this.isStopped = true;
    for (const timer of this.timers.values()) clearTimeout(timer);
    this.timers.clear();
    await this.job.stop();
  }

  /**
   * Returns the guest who returns under a name and marks them as present; null if there is none.
   *
   * A name proves nothing. A guest of a direct room is therefore never resumed by name: that guest
   * leaves their rooms immediately, and a new guest gets the name.
   */
  async resume(key: GuestKey): Promise<ReturningGuest | null> {
    const away = (await this.findAway(key)).filter(({ id }) => !this.present.has(id));
    for (const { id, hasDirects } of away) {
      if (hasDirects) await this.leaveNow(id);
    }
    const guest = away.find(({ id, hasDirects }) => !hasDirects && !this.present.has(id));
    if (guest === undefined || !(await this.presence.claim(guest.id))) return null;
    this.addPresent(guest.id);
    // Checked again: a direct room may have been opened before the guest was marked as present.
    const rooms = await this.findRooms(guest.id);
    if (rooms === null) {
      this.markAway(guest.id);
      return null;
    }
    const { id, name, ownEpoch } = guest;
    return { id, name, ownEpoch, rooms, kind: 'guest', isStored: true };
  }

  private async findAway({ dialect, name, address }: GuestKey): Promise<readonly AwayGuest[]> {
    return this.reader.snapshot(({ sql }) =>
      sql.all<AwayGuest>(
        `SELECT u.id, u.name, r.epoch AS "ownEpoch",
                EXISTS (SELECT 1 FROM direct_users d WHERE d.user_id = u.id) AS "hasDirects"
           FROM dialect_guests g JOIN users u ON u.id = g.user_id
           JOIN rooms r ON r.id = CAST($1 AS text) || u.id
          WHERE g.dialect = $2 AND g.name_key = $3 AND g.address = $4 AND g.present_until <= $5`,
        ownLog(''),
        dialect,
        foldDisplayName(name),
        address,
        this.writer.now(),
      ),
    );
  }

  /** Returns the public rooms of a guest; null if the guest is in a direct room. */
  private async findRooms(id: string): Promise<readonly string[] | null> {
    return this.reader.snapshot(async ({ sql }) => {
      const direct = 'SELECT 1 AS yes FROM direct_users WHERE user_id = $1 LIMIT 1';
      if ((await sql.get(direct, id)) !== undefined) return null;
      const rooms = await sql.all<{ room: string }>(PUBLIC_ROOMS, id);
      return rooms.map(({ room }) => room);
    });
  }

  /** Marks a guest as present; `hasNames` lets them return by name. */
  async markPresent(
    { id, name }: User,
    { dialect, address }: GuestKey,
    hasNames: boolean,
  ): Promise<void> {
    this.addPresent(id);
    await this.writer.run([], (tx) =>
      tx.sql.run(
        `INSERT INTO dialect_guests (user_id, dialect, name_key, address, present_until)
           VALUES ($1, $2, $3, $4, $5)
           ON CONFLICT (user_id) DO UPDATE
             SET name_key = excluded.name_key, present_until = excluded.present_until`,
        id,
        dialect,
        hasNames ? foldDisplayName(name) : null,
        address,
        this.presence.until(tx.now()),
      ),
    );
  }

  /** Marks a guest as away; they leave their rooms after the grace period. */
  markAway(id: string): void {
    this.present.delete(id);
    if (!this.presence.isShared) {
      this.leaveLater(id);
      return;
    }
    this.presence.leave(id).catch((err: unknown) => {
      this.logger.warn({ msg: 'That a guest has left is noticed later', err });
    });
  }

  /** Renews the presence of the guests of this server, and removes those who are away from all. */
  private async expire(signal: AbortSignal): Promise<void> {
    await this.presence.renew(this.present);
    const fence = this.presence.fence();
    for (const id of await this.presence.listAway()) {
      if (signal.aborted) return;
      await this.leaveNow(id, fence);
    }
  }

  private addPresent(id: string): void {
    this.present.add(id);
    clearTimeout(this.timers.get(id));
    this.timers.delete(id);
  }

  private leaveLater(id: string): void {
    if (this.isStopped) return;
    clearTimeout(this.timers.get(id));
    const leave = (): void => void this.leaveNow(id);
    this.timers.set(id, setTimeout(leave, this.config.dialectAwaySeconds * 1_000));
  }

  private async leaveNow(id: string, fence?: Fence): Promise<void> {
    clearTimeout(this.timers.get(id));
    this.timers.delete(id);
    try {
      await this.leave(id, fence);
    } catch (err) {
      this.logger.warn({ msg: 'A guest could not leave their rooms; trying again later', err });
      if (!this.present.has(id) && !this.presence.isShared) this.leaveLater(id);
    }
  }

  private async leave(id: string, fence?: Fence): Promise<void> {
    await this.writer.run([ownLog(id)], async (tx) => {
      await fence?.(tx);
      // The guest may have returned in the meantime.
      if (this.present.has(id) || (await this.presence.isPresent(tx, id))) return;
      const user = await tx.sql.get<{ name: string }>('SELECT name FROM users WHERE id = $1', id);
      const rooms = await tx.sql.all<{ room: string }>(PUBLIC_ROOMS, id);
      tx.lock(rooms.map(({ room }) => room));
      for (const { room } of rooms) {
        await this.rooms.leaveIn(tx, { id, name: user?.name ?? '', kind: 'guest' }, room, 'away');
      }
      await tx.sql.run('DELETE FROM dialect_guests WHERE user_id = $1', id);
    });
  }
}
