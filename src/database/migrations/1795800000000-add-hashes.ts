import type { MigrationInterface, QueryRunner } from 'typeorm';

const TABLES = ['room_events', 'messages'];

/** Hashes of events and messages, and the ids of the keys that have signed tokens. */
export class AddHashes1795800000000 implements MigrationInterface {
  readonly name = 'AddHashes1795800000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const table of TABLES) {
      await runner.query(`ALTER TABLE ${table} ADD COLUMN hash text`);
    }
    await runner.query(
      'CREATE TABLE token_keys (id text PRIMARY KEY, first_used_at bigint NOT NULL)',
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE token_keys');
    for (const table of TABLES) {
      await runner.query(`ALTER TABLE ${table} DROP COLUMN hash`);
    }
  }
}
