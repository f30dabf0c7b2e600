import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Stores which guests of dialects are connected to one of the servers that share the database. */
export class AddGuestPresence1796300000000 implements MigrationInterface {
  readonly name = 'AddGuestPresence1796300000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      'ALTER TABLE dialect_guests ADD COLUMN present_until bigint NOT NULL DEFAULT 0',
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE dialect_guests DROP COLUMN present_until');
  }
}
