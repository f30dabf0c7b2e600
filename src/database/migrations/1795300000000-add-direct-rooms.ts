import { Table, type MigrationInterface, type QueryRunner } from 'typeorm';

/** The two users of each direct room, and blocks. */
export class AddDirectRooms1795300000000 implements MigrationInterface {
  readonly name = 'AddDirectRooms1795300000000';

  async up(runner: QueryRunner): Promise<void> {
    // The order of ids is that of their code points, whatever language a PostgreSQL database has.
    const isPostgres = runner.dataSource.options.type === 'postgres';
    const key = (name: string) => ({
      ...{ name, type: 'text', isPrimary: true },
      ...(isPostgres ? { collation: 'C' } : {}),
    });
    await runner.createTable(
      new Table({
        name: 'direct_users',
        withoutRowid: true,
        columns: [key('room_id'), key('user_id')],
      }),
    );
    await runner.createTable(
      new Table({
        name: 'blocks',
        withoutRowid: true,
        columns: [key('blocker_id'), key('blocked_id'), { name: 'at', type: 'bigint' }],
      }),
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropTable('blocks');
    await runner.dropTable('direct_users');
  }
}
