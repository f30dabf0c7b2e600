import {
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';

import { CONFIG, type Config } from '../config/config.js';
import { Writer } from '../database/writer.js';
import { RoomsService } from '../rooms/rooms.service.js';
import { UsersService } from '../users/users.service.js';
import { PresentUsers } from './present-users.js';

const PAUSE_MAX_MS = 600_000;
/** Memberships that end in one transaction: many share a commit, and others need not wait long. */
const BATCH = 100;

/**
 * Guests who have been away too long leave their public rooms (P-5.6).
 *
 * A direct room has no others whom an absent member is in the way of, and waits for its two.
 * Their rows among the users stay. The log of each room that they were in names them for good,
 * at least as `member.joined`, and `user.get` has to know whoever a log names. Each comes back by
 * the token besides, and finds the own log where it was. The logs grow by more than that for each
 * guest; `guestsPerHour` is what bounds both.
 */
@Injectable()
export class GuestExpiry implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(GuestExpiry.name);
  private timer: NodeJS.Timeout | undefined;
  private isStopped = false;
  /** Who was last seen before has left, and need not be looked at again. */
  private doneUntil = 0;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(Writer) private readonly writer: Writer,
    @Inject(RoomsService) private readonly rooms: RoomsService,
    @Inject(PresentUsers) private readonly present: PresentUsers,
    @Inject(UsersService) private readonly users: UsersService,
  ) {}

  /** The first look is not at once: after a restart, guests need time to come back. */
  onApplicationBootstrap(): void {
    this.plan();
  }

  onModuleDestroy(): void {
    this.isStopped = true;
    clearTimeout(this.timer);
  }

  private plan(): void {
    if (this.isStopped) return;
    const pause = Math.min(PAUSE_MAX_MS, this.config.guestAwaySeconds * 1_000);
    this.timer = setTimeout(() => {
      this.expire()
        .catch((error: unknown) => this.logger.warn({ msg: 'Guests were not expired', err: error }))
        .finally(() => this.plan());
    }, pause);
  }

  private async expire(): Promise<void> {
    await this.users.touchAll(this.present.ids());
    const since = Date.now() - this.config.guestAwaySeconds * 1_000;
    for (let from: number | null = this.doneUntil; from !== null;) {
      from = await this.expireSome(from, since);
    }
    this.doneUntil = since;
  }

  /**
   * Ends the memberships of some guests, those first who went first; gives who is next, if any.
   *
   * It is asked inside the transaction who is away: whoever comes back writes that before.
   */
  private expireSome(from: number, since: number): Promise<number | null> {
    return this.writer.run(async (tx) => {
      const memberships = await tx.sql.all<Membership>(
        `SELECT m.room_id AS room, u.id, u.name, u.last_seen_at AS at
           FROM users u JOIN members m ON m.user_id = u.id
          WHERE u.kind = 'guest' AND u.last_seen_at >= ? AND u.last_seen_at < ?
            AND m.room_id NOT LIKE '@%'
          ORDER BY u.last_seen_at LIMIT ?`,
        from,
        since,
        BATCH,
      );
      for (const { room, id, name } of memberships) {
        await this.rooms.leaveIn(tx, { id, name, kind: 'guest' }, room, 'away');
      }
      return memberships.length < BATCH ? null : (memberships.at(-1)?.at ?? null);
    });
  }
}

interface Membership {
  room: string;
  id: string;
  name: string;
  at: number;
}
