import type { MigrationInterface, QueryRunner } from 'typeorm';

import { normalizeReaction } from '../../protocol/names.js';

/** Merges reactions whose forms look the same. */
export class NormalizeReactions1795700000000 implements MigrationInterface {
  readonly name = 'NormalizeReactions1795700000000';

  async up(runner: QueryRunner): Promise<void> {
    const rows = (await runner.query('SELECT DISTINCT emoji FROM reactions')) as {
      emoji: string;
    }[];
    for (const { emoji } of rows) {
      const form = normalizeReaction(emoji) ?? emoji;
      if (form !== emoji) await this.rename(runner, emoji, form);
    }
  }

  /** Does nothing: the earlier forms are unknown and not needed. */
  async down(): Promise<void> {}

  private async rename(runner: QueryRunner, before: string, after: string): Promise<void> {
    const isPostgres = runner.dataSource.options.type === 'postgres';
    const [one, two] = isPostgres ? ['$1', '$2'] : ['?', '?'];
    await runner.query(
      `DELETE FROM reactions WHERE emoji = ${one} AND EXISTS (
         SELECT 1 FROM reactions o WHERE o.emoji = ${two}
            AND o.message_id = reactions.message_id AND o.user_id = reactions.user_id)`,
      [before, after],
    );
    await runner.query(`UPDATE reactions SET emoji = ${one} WHERE emoji = ${two}`, [after, before]);
  }
}
