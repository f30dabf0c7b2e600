import {
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';

import { CONFIG, type Config } from '../config/config.js';
import { Reader } from '../database/reader.js';
import { ProtocolError } from '../protocol/errors.js';
import type { User } from '../protocol/models.js';
import { RoomsService } from '../rooms/rooms.service.js';
import { UsersService } from '../users/users.service.js';
import { PresentUsers } from './present-users.js';

const PAUSE_MAX_MS = 600_000;
const BATCH = 500;

/** Guests who have been away too long leave their rooms (P-5.6). */
@Injectable()
export class GuestExpiry implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(GuestExpiry.name);
  private timer: NodeJS.Timeout | undefined;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(Reader) private readonly reader: Reader,
    @Inject(RoomsService) private readonly rooms: RoomsService,
    @Inject(PresentUsers) private readonly present: PresentUsers,
    @Inject(UsersService) private readonly users: UsersService,
  ) {}

  /** The first look is not at once: after a restart, guests need time to come back. */
  onApplicationBootstrap(): void {
    this.plan();
  }

  onModuleDestroy(): void {
    clearTimeout(this.timer);
  }

  private plan(): void {
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
    const memberships = await this.reader.snapshot(({ sql }) =>
      sql.all<{ room: string; id: string; name: string }>(
        `SELECT m.room_id AS room, u.id, u.name FROM users u JOIN members m ON m.user_id = u.id
          WHERE u.kind = 'guest' AND u.last_seen_at < ? ORDER BY u.last_seen_at LIMIT ?`,
        since,
        BATCH,
      ),
    );
    for (const { room, id, name } of memberships) {
      if (this.present.find(id) === undefined) await this.leave(room, { id, name, kind: 'guest' });
    }
  }

  private async leave(room: string, user: User): Promise<void> {
    const caller = { actor: { ...user, ownEpoch: '' }, placed: () => undefined };
    try {
      await this.rooms.leave(caller, room, 'away');
    } catch (error) {
      // The user has left by another way in the meantime.
      if (!(error instanceof ProtocolError) || error.code !== 'not_member') throw error;
    }
  }
}
