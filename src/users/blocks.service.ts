import { Inject, Injectable } from '@nestjs/common';

import { CONFIG, type Config } from '../config/config.js';
import { Reader } from '../database/reader.js';
import type { WriteTransaction } from '../database/write-job.js';
import type { DeclaredLog } from '../database/write-job.js';
import { Writer } from '../database/writer.js';
import type { CommandData, ReplyData } from '../protocol/commands.js';
import { ProtocolError } from '../protocol/errors.js';
import type { User } from '../protocol/models.js';
import { RoomLog } from '../store/room-log.js';
import { declareOwnLog, ownLog, type Actor, type Caller } from '../store/actor.js';
import { directRoomId } from '../store/direct-rows.js';
import { BlockEntity } from '../store/block.entity.js';
import { isBlocking, pageBlocked } from '../store/block-rows.js';
import { UsersService } from './users.service.js';

const LIST_PAGE = 50;

/** Blocks between users (P-8.3). */
@Injectable()
export class BlocksService {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly writer: Writer,
    private readonly reader: Reader,
    private readonly log: RoomLog,
    private readonly users: UsersService,
  ) {}

  /**
   * Blocks a user; `connected` is that user if connected.
   *
   * @throws ProtocolError `not_found`, `invalid`, `limit_reached`
   */
  async block(
    { actor, onQueued }: Caller,
    id: string,
    connected: Actor | undefined,
  ): Promise<ReplyData<'user.block'>> {
    refuseSelf(actor, id);
    return this.writer.run(
      logsOfBlock(actor, id, connected),
      async (tx) => {
        const user = await this.users.getIn(tx, id, connected);
        if (await isBlocking(tx.sql, actor.id, id)) return { user, changed: false };
        await this.requireBlockQuota(tx, actor.id);
        for (const one of [actor, connected])
          if (one !== undefined) await this.users.store(tx, one);
        const row = { blockerId: actor.id, blockedId: id, at: tx.now() };
        await tx.manager.insert(BlockEntity, row);
        await this.log.append(tx, ownLog(actor.id), 'user.blocked', { user });
        return { user, changed: true };
      },
      onQueued,
    );
  }

  /**
   * Removes the block of a user.
   *
   * @throws ProtocolError `not_found`, `invalid`
   */
  async unblock(
    { actor, onQueued }: Caller,
    id: string,
    connected: Actor | undefined,
  ): Promise<ReplyData<'user.unblock'>> {
    refuseSelf(actor, id);
    return this.writer.run(
      logsOfBlock(actor, id, connected),
      async (tx) => {
        const user = await this.users.getIn(tx, id, connected);
        if (!(await isBlocking(tx.sql, actor.id, id))) return { user, changed: false };
        await tx.manager.delete(BlockEntity, { blockerId: actor.id, blockedId: id });
        await this.log.append(tx, ownLog(actor.id), 'user.unblocked', { user });
        return { user, changed: true };
      },
      onQueued,
    );
  }

  /** Lists a page of the users that the caller blocks, by id (P-8.4). */
  async list(
    { id }: Actor,
    { after = '', limit = LIST_PAGE }: CommandData<'user.blocks'>,
  ): Promise<ReplyData<'user.blocks'>> {
    const found = await this.reader.snapshot(({ sql }) => pageBlocked(sql, id, after, limit + 1));
    const users: User[] = found.slice(0, limit);
    const next = users.at(-1)?.id;
    return found.length > limit && next !== undefined ? { users, next } : { users };
  }

  private async requireBlockQuota({ sql }: WriteTransaction, id: string): Promise<void> {
    const { blocksPerUser: value } = this.config.limits;
    const last = 'SELECT blocked_id FROM blocks WHERE blocker_id = $1 LIMIT 1 OFFSET $2';
    if ((await sql.get(last, id, value - 1)) === undefined) return;
    throw new ProtocolError('limit_reached', { details: { limit: 'blocksPerUser', value } });
  }
}

/** Returns the logs that guard a block: those of both users, and that of their direct room. */
function logsOfBlock(actor: Actor, id: string, connected: Actor | undefined): DeclaredLog[] {
  const blocked = connected === undefined ? ownLog(id) : declareOwnLog(connected);
  return [declareOwnLog(actor), blocked, directRoomId(actor.id, id)];
}

function refuseSelf(actor: Actor, id: string): void {
  if (actor.id !== id) return;
  throw new ProtocolError('invalid', { message: 'You cannot block yourself.' });
}
