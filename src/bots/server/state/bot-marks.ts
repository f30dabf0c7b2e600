import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

import { Lease } from '../../../database/lease.js';
import { Reader } from '../../../database/reader.js';
import type { WriteTransaction } from '../../../database/write-job.js';
import { Writer } from '../../../database/writer.js';
import { ProtocolError } from '../../../protocol/errors.js';
import type { Position } from '../../../protocol/models.js';
import { requireAccess } from '../../../rooms/policy.js';
import { findHead } from '../../../store/room-log.js';
import type { Caller } from '../../../store/actor.js';
import { BotMarkEntity } from '../../../store/bot-mark.entity.js';

/** Positions up to which bots have processed the logs of their rooms (P-13.9). */
@Injectable()
export class BotMarks {
  constructor(
    private readonly writer: Writer,
    private readonly reader: Reader,
    private readonly lease: Lease,
  ) {}

  /** Finds the mark of a bot in a room. */
  async find(botId: string, roomId: string): Promise<Position | null> {
    const row = await this.reader.snapshot(({ manager }) =>
      manager.findOneBy(BotMarkEntity, { botId, roomId }),
    );
    return row === null ? null : { epoch: row.epoch, seq: row.seq };
  }

  /**
   * Moves the mark of the caller forward; returns its position.
   *
   * @throws ProtocolError `not_found`, `not_member`, `invalid` past the head of the log
   */
  async move({ actor, onQueued }: Caller, room: string, seq: number): Promise<number> {
    const fence = this.lease.fence();
    const move = async (tx: WriteTransaction): Promise<number> => {
      const { sql, manager } = tx;
      await fence?.(tx);
      await requireAccess(sql, 'read', room, actor.id);
      const { epoch = '', seq: head = 0 } = (await findHead(tx, room)) ?? {};
      if (seq > head) {
        throw new ProtocolError('invalid', {
          message: `The log of the room ends at ${String(head)}.`,
        });
      }
      const key = { botId: actor.id, roomId: room };
      const mark = await manager.findOneBy(BotMarkEntity, key);
      if (mark !== null && mark.epoch === epoch && mark.seq >= seq) return mark.seq;
      await setMark(manager, actor.id, room, { epoch, seq });
      return seq;
    };
    return this.writer.run([room], move, onQueued);
  }
}

/** Sets the mark of a bot that joins a room to the head of the log, in a transaction. */
export async function markEntry(
  tx: WriteTransaction,
  botId: string,
  roomId: string,
): Promise<void> {
  const position = await findHead(tx, roomId);
  await setMark(tx.manager, botId, roomId, position ?? { epoch: '', seq: 0 });
}

/** Sets a mark, in a transaction. */
export async function setMark(
  manager: EntityManager,
  botId: string,
  roomId: string,
  position: Position,
): Promise<void> {
  await manager.upsert(BotMarkEntity, { botId, roomId, ...position }, ['botId', 'roomId']);
}
