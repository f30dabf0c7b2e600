import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Stores the kind of each room: `public`, `direct`, or `own` for the own log of a user. */
export class AddRoomKinds1795900000000 implements MigrationInterface {
  readonly name = 'AddRoomKinds1795900000000';

  async up(runner: QueryRunner): Promise<void> {
    // Most rows are own logs; they also have the kind that nobody may enter.
    await runner.query("ALTER TABLE rooms ADD COLUMN kind text NOT NULL DEFAULT 'own'");
    await runner.query("UPDATE rooms SET kind = 'direct' WHERE id LIKE '@dm-%'");
    await runner.query("UPDATE rooms SET kind = 'public' WHERE id NOT LIKE '@%'");
    // The list of rooms reads no own logs, of which there is one for each user.
    await runner.query("CREATE INDEX public_rooms ON rooms (id) WHERE kind = 'public'");
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX public_rooms');
    await runner.query('ALTER TABLE rooms DROP COLUMN kind');
  }
}
