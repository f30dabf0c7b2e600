import { Table, type MigrationInterface, type QueryRunner } from 'typeorm';

/** The work that one of the servers that share the database does for all. */
export class AddLeases1796200000000 implements MigrationInterface {
  readonly name = 'AddLeases1796200000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.createTable(
      new Table({
        name: 'leases',
        columns: [
          { name: 'name', type: 'text', isPrimary: true },
          { name: 'holder', type: 'text' },
          { name: 'token', type: 'bigint' },
          { name: 'expires_at', type: 'bigint' },
        ],
      }),
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropTable('leases');
  }
}
