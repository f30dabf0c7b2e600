import { randomBytes } from 'node:crypto';

import { Table, type MigrationInterface, type QueryRunner, type TableColumnOptions } from 'typeorm';

type ColumnType = 'text' | 'integer' | 'bigint';

const column = (
  name: string,
  type: ColumnType,
  more: Partial<TableColumnOptions> = {},
): TableColumnOptions => ({ name, type, ...more });
const optional = { isNullable: true } as const;

const FILES = {
  name: 'files',
  columns: [
    column('id', 'text', { isPrimary: true }),
    column('owner_id', 'text'),
    column('message_id', 'text', optional),
    column('room_id', 'text', optional),
    column('name', 'text'),
    column('type', 'text'),
    column('size', 'bigint'),
    column('width', 'integer', optional),
    column('height', 'integer', optional),
    column('preview_width', 'integer', optional),
    column('preview_height', 'integer', optional),
    column('created_at', 'bigint'),
  ],
  indices: [
    { columnNames: ['message_id', 'created_at'] },
    { columnNames: ['owner_id', 'message_id'] },
  ],
};

/**
 * Files, and the attachments of messages.
 *
 * `file_stores` has one random row, the name of the folder with the bytes. A database that replaces
 * another one beside the same folder therefore does not delete its files as orphans.
 */
export class AddFiles1795305600000 implements MigrationInterface {
  readonly name = 'AddFiles1795305600000';

  async up(runner: QueryRunner): Promise<void> {
    const isPostgres = runner.dataSource.options.type === 'postgres';
    // Ids are compared by their bytes when what is stored is compared with what is on the disk.
    const columns = FILES.columns.map((one) =>
      isPostgres && one.type === 'text' ? { ...one, collation: 'C' } : one,
    );
    await runner.createTable(new Table({ ...FILES, columns }));
    await runner.createTable(
      new Table({ name: 'file_stores', columns: [column('id', 'text', { isPrimary: true })] }),
    );
    await runner.query(`INSERT INTO file_stores (id) VALUES ('${randomBytes(8).toString('hex')}')`);
    // Not by the runner, which would copy the whole table on SQLite.
    await runner.query('ALTER TABLE messages ADD COLUMN attachments text');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE messages DROP COLUMN attachments');
    await runner.dropTable('file_stores');
    await runner.dropTable('files');
  }
}
