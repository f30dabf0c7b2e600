import { Table, type MigrationInterface, type QueryRunner, type TableColumnOptions } from 'typeorm';

const text = (name: string, more: Partial<TableColumnOptions> = {}): TableColumnOptions => ({
  name,
  type: 'text',
  ...more,
});
const integer = (name: string, more: Partial<TableColumnOptions> = {}): TableColumnOptions => ({
  name,
  type: 'integer',
  ...more,
});
const time = (name: string, more: Partial<TableColumnOptions> = {}): TableColumnOptions => ({
  name,
  type: 'bigint',
  ...more,
});
const key = { isPrimary: true } as const;
const optional = { isNullable: true } as const;

/** Users, rooms, members, the room log, messages, reactions, and the state of bots. */
export class CreateSchema1795219200000 implements MigrationInterface {
  readonly name = 'CreateSchema1795219200000';

  async up(runner: QueryRunner): Promise<void> {
    const isPostgres = runner.dataSource.options.type === 'postgres';
    for (const table of TABLES) {
      await runner.createTable(new Table(isPostgres ? inOrderOfBytes(table) : table));
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of TABLES.toReversed()) await runner.dropTable(table.name);
  }
}

// Clustered by the key where queries use it, which saves reading a page.
const TABLES = [
  {
    name: 'users',
    columns: [
      text('id', key),
      text('name'),
      text('kind'),
      time('created_at'),
      time('last_seen_at'),
    ],
    indices: [{ columnNames: ['kind', 'last_seen_at'] }],
  },
  {
    name: 'rooms',
    withoutRowid: true,
    columns: [
      text('id', key),
      text('title'),
      text('epoch'),
      integer('head'),
      text('owner_id', optional),
      integer('member_count'),
      time('created_at'),
    ],
  },
  {
    name: 'members',
    withoutRowid: true,
    columns: [
      text('room_id', key),
      text('user_id', key),
      time('joined_at'),
      text('scopes', optional),
    ],
    indices: [{ columnNames: ['user_id'] }],
  },
  {
    name: 'messages',
    columns: [
      text('id', key),
      text('room_id'),
      integer('seq'),
      text('sender_id'),
      text('text'),
      time('at'),
      text('cid', optional),
      text('content_hash', optional),
      text('reply_to', optional),
      text('cause', optional),
      text('kind', optional),
      integer('hops', optional),
      time('edited_at', optional),
      time('deleted_at', optional),
      text('deleted_by', optional),
    ],
  },
  {
    name: 'reactions',
    columns: [text('message_id', key), text('emoji', key), text('user_id', key), integer('seq')],
  },
  {
    name: 'room_events',
    withoutRowid: true,
    columns: [
      text('room_id', key),
      integer('seq', key),
      text('type'),
      time('at'),
      text('message_id', optional),
      text('body', optional),
    ],
  },
  {
    name: 'bot_state',
    withoutRowid: true,
    columns: [text('bot_id', key), text('owner', key), text('key', key), text('value')],
  },
  {
    name: 'bot_accounts',
    columns: [
      text('id', key),
      text('name', { isUnique: true }),
      text('about'),
      text('scopes'),
      time('created_at'),
    ],
  },
  {
    name: 'bot_tokens',
    columns: [text('hash', key), text('bot_id'), time('created_at')],
    indices: [{ columnNames: ['bot_id'] }],
  },
  {
    name: 'bot_marks',
    withoutRowid: true,
    columns: [text('bot_id', key), text('room_id', key), text('epoch'), integer('seq')],
  },
];

/** Orders ids by code points, whatever the collation of a PostgreSQL database. */
function inOrderOfBytes<T extends { columns: TableColumnOptions[] }>(table: T): T {
  const columns = table.columns.map((column) =>
    column.type === 'text' ? { ...column, collation: 'C' } : column,
  );
  return { ...table, columns };
}
