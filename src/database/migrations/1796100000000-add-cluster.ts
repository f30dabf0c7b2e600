import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Creates the table, of one row, of what the servers on a PostgreSQL database share. */
export class AddCluster1796100000000 implements MigrationInterface {
  readonly name = 'AddCluster1796100000000';

  async up(runner: QueryRunner): Promise<void> {
    if (runner.dataSource.options.type !== 'postgres') return;
    await runner.query(`CREATE TABLE cluster (
      only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
      id text NOT NULL,
      bus_key text NOT NULL,
      partitions integer NOT NULL,
      settings text NOT NULL
    )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    if (runner.dataSource.options.type === 'postgres') await runner.query('DROP TABLE cluster');
  }
}
