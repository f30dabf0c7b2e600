import {
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';

import { CONFIG, type Config } from '../config/config.js';
import { Reader } from '../database/reader.js';
import { Writer } from '../database/writer.js';
import type { User } from '../protocol/models.js';
import { RoomsService } from '../rooms/rooms.service.js';
import { ownLog, type Actor } from '../users/actor.js';
import { DialectGuestEntity } from './dialect-guest.entity.js';
import { nameKey } from './name-key.js';

/** Direct rooms are not left, and not given back by a name. */
const PUBLIC_ROOMS = `SELECT room_id AS room FROM members
  WHERE user_id = ? AND room_id NOT LIKE '@%' ORDER BY room_id`;

/** How a guest may be known again. */
export interface GuestMark {
  readonly dialect: string;
  readonly name: string;
  readonly address: string;
}

interface Returning extends Actor {
  readonly rooms: readonly string[];
}

/**
 * Guests whose programs cannot resume: they leave their rooms soon after they have gone.
 *
 * They are in the database, so that a restart neither forgets them in their rooms nor announces
 * that everybody left and came.
 */
@Injectable()
export class DialectGuests implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger('Dialects');
  /** Guests who are here, and so are nobody else. */
  private readonly here = new Set<string>();
  private isStopped = false;
  private readonly timers = new Map<string, NodeJS.Timeout>();

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(Writer) private readonly writer: Writer,
    @Inject(Reader) private readonly reader: Reader,
    @Inject(RoomsService) private readonly rooms: RoomsService,
  ) {}

  /** Whoever was here when the server stopped has as long to come back as anybody. */
  async onApplicationBootstrap(): Promise<void> {
    const guests = await this.reader.snapshot(({ manager }) => manager.find(DialectGuestEntity));
    for (const { userId } of guests) this.leaveLater(userId);
  }

  onModuleDestroy(): void {
    this.isStopped = true;
    for (const timer of this.timers.values()) clearTimeout(timer);
    this.timers.clear();
  }

  /** Finds who of those that have gone comes back here, and takes them for here; null if nobody. */
  async comeBack({ dialect, name, address }: GuestMark): Promise<Returning | null> {
    const found = await this.reader.snapshot(async ({ sql }) => {
      const guests = await sql.all<Omit<Returning, 'rooms' | 'kind'>>(
        `SELECT u.id, u.name, r.epoch AS "ownEpoch"
           FROM dialect_guests g JOIN users u ON u.id = g.user_id
           JOIN rooms r ON r.id = CAST(? AS text) || u.id
          WHERE g.dialect = ? AND g.name_key = ? AND g.address = ?`,
        ownLog(''),
        dialect,
        nameKey(name),
        address,
      );
      const guest = guests.find(({ id }) => !this.here.has(id));
      if (guest === undefined) return null;
      const rooms = await sql.all<{ room: string }>(PUBLIC_ROOMS, guest.id);
      return { ...guest, rooms: rooms.map(({ room }) => room) };
    });
    if (found === null || this.here.has(found.id)) return null;
    this.arrive(found.id);
    return { ...found, kind: 'guest', isStored: true };
  }

  /** Notes that a guest is here. */
  async come(
    { id, name }: User,
    { dialect, address }: GuestMark,
    hasNames: boolean,
  ): Promise<void> {
    this.arrive(id);
    await this.writer.run(({ sql }) =>
      sql.run(
        `INSERT INTO dialect_guests (user_id, dialect, name_key, address) VALUES (?, ?, ?, ?)
           ON CONFLICT (user_id) DO UPDATE SET name_key = excluded.name_key`,
        id,
        dialect,
        hasNames ? nameKey(name) : null,
        address,
      ),
    );
  }

  /** Notes that a guest has gone. */
  go(id: string): void {
    this.here.delete(id);
    this.leaveLater(id);
  }

  private arrive(id: string): void {
    this.here.add(id);
    clearTimeout(this.timers.get(id));
    this.timers.delete(id);
  }

  private leaveLater(id: string): void {
    if (this.isStopped) return;
    clearTimeout(this.timers.get(id));
    const leave = (): void => {
      this.timers.delete(id);
      this.leave(id).catch((err: unknown) => {
        this.logger.warn({ msg: 'A guest could not leave the rooms yet', err });
        if (!this.here.has(id)) this.leaveLater(id);
      });
    };
    this.timers.set(id, setTimeout(leave, this.config.dialectAwaySeconds * 1_000));
  }

  private async leave(id: string): Promise<void> {
    await this.writer.run(async (tx) => {
      // Who came back meanwhile is here already.
      if (this.here.has(id)) return;
      const user = await tx.sql.get<{ name: string }>('SELECT name FROM users WHERE id = ?', id);
      const rooms = await tx.sql.all<{ room: string }>(PUBLIC_ROOMS, id);
      for (const { room } of rooms) {
        await this.rooms.leaveIn(tx, { id, name: user?.name ?? '', kind: 'guest' }, room, 'away');
      }
      await tx.sql.run('DELETE FROM dialect_guests WHERE user_id = ?', id);
    });
  }
}
