import {
  Inject,
  Injectable,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';

import { CONFIG, type Config } from '../../config/config.js';
import { Lease } from '../../database/lease.js';
import { PeriodicJob } from '../../database/periodic-job.js';
import { Writer } from '../../database/writer.js';
import { ownLog } from '../../store/actor.js';
import { RoomsService } from '../../rooms/rooms.service.js';
import { UsersService } from '../../users/users.service.js';
import { PresentUsers } from '../connections/present-users.js';

const PAUSE_MAX_MS = 600_000;
/** Share of the time away after which servers that share a database note who is connected. */
const SHARED_PAUSE = 1 / 4;
/** Memberships that end in one transaction: enough to share a commit, few enough to be short. */
const BATCH = 30;

/**
 * Removes guests who have been away too long from their public rooms (P-5.6).
 *
 * Among servers that share a database, each notes which users are connected to it
 * (`users.last_seen_at`), and the one that holds the lease removes the guests.
 *
 * Direct rooms are not left: an absent member disturbs no one there. Rows in `users` stay, because
 * the logs of rooms name guests permanently, and `user.get` must know every user that a log names.
 * A guest may also return with their token and continue their own log. These rows are few compared
 * with the events of a guest, and `guestsPerHour` limits both.
 */
@Injectable()
export class GuestExpiry implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly job: PeriodicJob;
  /** Guests last seen before this time have been processed. */
  private doneUntil = 0;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly writer: Writer,
    private readonly rooms: RoomsService,
    private readonly present: PresentUsers,
    private readonly users: UsersService,
    private readonly lease: Lease,
  ) {
    const awayMs = config.guestAwaySeconds * 1_000;
    this.job = new PeriodicJob({
      name: 'expiry of guests',
      pauseMs: Math.min(PAUSE_MAX_MS, lease.isShared ? awayMs * SHARED_PAUSE : awayMs),
      run: (signal) => this.expire(signal),
    });
  }

  /** Waits before the first run: after a restart, guests need time to return. */
  onApplicationBootstrap(): void {
    this.job.start();
  }

  onModuleDestroy(): Promise<void> {
    return this.job.stop();
  }

  private async expire(signal: AbortSignal): Promise<void> {
    // Read first: updating the present users may take long, and gives them a later time than this.
    const since = this.writer.now() - this.config.guestAwaySeconds * 1_000;
    await this.users.touchAll(this.present.ids());
    if (!this.lease.isHeld) return;
    for (let from: number | null = this.doneUntil; from !== null;) {
      if (signal.aborted) return;
      from = await this.expireSome(from, since);
    }
    this.doneUntil = since;
  }

  /**
   * Ends the memberships of one batch of guests, in the order of leaving.
   *
   * Returns the time at which the next batch starts; null if there is none. The transaction itself
   * reads who is away, because a guest who returns is marked as present in an earlier one.
   */
  private expireSome(from: number, since: number): Promise<number | null> {
    const fence = this.lease.fence();
    return this.writer.run([], async (tx) => {
      await fence?.(tx);
      const memberships = await tx.sql.all<Membership>(
        `SELECT m.room_id AS room, u.id, u.name, u.last_seen_at AS at
           FROM users u JOIN members m ON m.user_id = u.id
           JOIN rooms r ON r.id = m.room_id AND r.kind <> 'direct'
          WHERE u.kind = 'guest' AND u.last_seen_at >= $1 AND u.last_seen_at < $2
          ORDER BY u.last_seen_at LIMIT $3`,
        from,
        since,
        BATCH,
      );
      // The own log of a guest keeps their return apart from this.
      tx.lock(memberships.flatMap(({ room, id }) => [room, ownLog(id)]));
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
