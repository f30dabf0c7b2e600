import { Inject, Injectable } from '@nestjs/common';

import { CONFIG, type Config } from '../config/config.js';
import { Reader } from '../database/reader.js';
import { Writer, type WriteTransaction } from '../database/writer.js';
import type { CommandData, ReplyData } from '../protocol/commands.js';
import { ProtocolError } from '../protocol/errors.js';
import type { User } from '../protocol/models.js';
import { RoomLog } from '../rooms/room-log.js';
import { ownLog, type Actor, type Caller } from './actor.js';
import { BlockEntity } from './block.entity.js';
import { isBlocking, pageBlocked } from './block-rows.js';
import { UsersService } from './users.service.js';

const LIST_PAGE = 50;

/** Who blocks whom (P-8.3). */
@Injectable()
export class BlocksService {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(Writer) private readonly writer: Writer,
    @Inject(Reader) private readonly reader: Reader,
    @Inject(RoomLog) private readonly log: RoomLog,
    @Inject(UsersService) private readonly users: UsersService,
  ) {}

  /**
   * Blocks a user; `here` is that user, if connected.
   *
   * @throws ProtocolError `not_found`, `invalid`, `limit_reached`
   */
  async block(
    { actor, placed }: Caller,
    id: string,
    here: Actor | undefined,
  ): Promise<ReplyData<'user.block'>> {
    refuseSelf(actor, id);
    return this.writer.run(async (tx) => {
      const user = await this.users.getIn(tx, id, here);
      if (await isBlocking(tx.sql, actor.id, id)) return { user, changed: false };
      await this.requirePlace(tx, actor.id);
      for (const one of [actor, here]) if (one !== undefined) await this.users.store(tx, one);
      const row = { blockerId: actor.id, blockedId: id, at: Date.now() };
      await tx.manager.insert(BlockEntity, row);
      await this.log.append(tx, ownLog(actor.id), 'user.blocked', { user });
      return { user, changed: true };
    }, placed);
  }

  /**
   * Blocks a user no longer.
   *
   * @throws ProtocolError `not_found`, `invalid`
   */
  async unblock(
    { actor, placed }: Caller,
    id: string,
    here: Actor | undefined,
  ): Promise<ReplyData<'user.unblock'>> {
    refuseSelf(actor, id);
    return this.writer.run(async (tx) => {
      const user = await this.users.getIn(tx, id, here);
      if (!(await isBlocking(tx.sql, actor.id, id))) return { user, changed: false };
      await tx.manager.delete(BlockEntity, { blockerId: actor.id, blockedId: id });
      await this.log.append(tx, ownLog(actor.id), 'user.unblocked', { user });
      return { user, changed: true };
    }, placed);
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

  private async requirePlace({ sql }: WriteTransaction, id: string): Promise<void> {
    const { blocksPerUser: value } = this.config.limits;
    const last = 'SELECT blocked_id FROM blocks WHERE blocker_id = ? LIMIT 1 OFFSET ?';
    if ((await sql.get(last, id, value - 1)) === undefined) return;
    throw new ProtocolError('limit_reached', { details: { limit: 'blocksPerUser', value } });
  }
}

function refuseSelf(actor: Actor, id: string): void {
  if (actor.id !== id) return;
  throw new ProtocolError('invalid', { message: 'Nobody blocks themselves.' });
}
