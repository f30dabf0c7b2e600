import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Stores the time of the last event of each log, so that times in a log never run back. */
export class AddHeadTimes1796000000000 implements MigrationInterface {
  readonly name = 'AddHeadTimes1796000000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE rooms ADD COLUMN head_at bigint NOT NULL DEFAULT 0');
    await runner.query(`UPDATE rooms SET head_at = COALESCE((SELECT at FROM room_events
      WHERE room_events.room_id = rooms.id AND room_events.seq = rooms.head), 0)`);
    if (runner.dataSource.options.type !== 'postgres') return;
    // Each event changes the row of its log: space for the new version saves changes of the index.
    await runner.query('ALTER TABLE rooms SET (fillfactor = 70)');
  }

  async down(runner: QueryRunner): Promise<void> {
    if (runner.dataSource.options.type === 'postgres') {
      await runner.query('ALTER TABLE rooms RESET (fillfactor)');
    }
    await runner.query('ALTER TABLE rooms DROP COLUMN head_at');
  }
}
