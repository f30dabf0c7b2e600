import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Marks the bots that the setting PARLANCE_ROOM_BOTS put into a room. */
export class MarkRoomBots1795600000000 implements MigrationInterface {
  readonly name = 'MarkRoomBots1795600000000';

  async up(runner: QueryRunner): Promise<void> {
    // TypeORM would copy the whole table on SQLite to add a column.
    await runner.query('ALTER TABLE members ADD COLUMN by_setting boolean NOT NULL DEFAULT false');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE members DROP COLUMN by_setting');
  }
}
