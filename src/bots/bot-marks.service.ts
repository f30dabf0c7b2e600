import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

import { Reader } from '../database/reader.js';
import { Writer, type WriteTransaction } from '../database/writer.js';
import { ProtocolError } from '../protocol/errors.js';
import type { Position } from '../protocol/models.js';
import { findRoom, requireMember } from '../rooms/room-rows.js';
import type { Caller } from '../users/actor.js';
import { BotMarkEntity } from './bot-mark.entity.js';

/** How far bots from afar have processed the logs of their rooms (P-13.9). */
@Injectable()
export class BotMarks {
  constructor(
    @Inject(Writer) private readonly writer: Writer,
    @Inject(Reader) private readonly reader: Reader,
  ) {}

  /** Finds the mark of a bot in a room. */
  async find(botId: string, roomId: string): Promise<Position | null> {
    const row = await this.reader.snapshot(({ manager }) =>
      manager.findOneBy(BotMarkEntity, { botId, roomId }),
    );
    return row === null ? null : { epoch: row.epoch, seq: row.seq };
  }

  /**
   * Moves the mark of the caller forward; gives where it is then.
   *
   * @throws ProtocolError `not_found`, `not_member`, `invalid` past the head of the log
   */
  async move({ actor, placed }: Caller, room: string, seq: number): Promise<number> {
    return this.writer.run(async ({ sql, manager }) => {
      await requireMember(sql, room, actor.id);
      const { epoch = '', head = 0 } = (await findRoom(sql, room)) ?? {};
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
    }, placed);
  }
}

/** Has a bot from afar that was just added to a room begin after that, in the transaction. */
export async function markEntry(
  { sql, manager }: WriteTransaction,
  botId: string,
  roomId: string,
): Promise<void> {
  const { epoch = '', head: seq = 0 } = (await findRoom(sql, roomId)) ?? {};
  await setMark(manager, botId, roomId, { epoch, seq });
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
