import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import pg from 'pg';
import { DataSource, type Logger } from 'typeorm';

import { readConfig } from '#src/config/config.js';
import { writerDataSource } from '#src/database/data-source.js';
import { migrate } from '#src/database/migrate.js';
import { MIGRATIONS } from '#src/database/migrations/index.js';
import { Sqlite } from '#src/database/sqlite.js';

import { afterSpecFile } from '../runner/after-spec-file.js';
import { makeScratchFolder } from './scratch-folder.js';

const CHANGES = /^\s*(CREATE|ALTER|INSERT|UPDATE|DELETE|DROP|COMMENT)\b/i;
const FILE = 'parlance.db';
const PLACEHOLDER = 'schema_of_the_template';

/** Schemas that no server uses. */
const free: { readonly url: string; readonly schema: string }[] = [];

let sqlite: Promise<string> | undefined;
let postgres: Promise<string> | undefined;

/** Puts a migrated SQLite database into a folder: a copy, made in a fraction of the time. */
export async function copySqliteTemplate(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, FILE);
  await copyFile(await (sqlite ??= makeSqliteTemplate()), path);
  const database = new Sqlite(path);
  database.exec(renameFileStore());
  database.close();
}

/** Returns a migrated schema in PostgreSQL without rows: a used one if there is one. */
export async function takePostgresSchema(url: string): Promise<string> {
  afterSpecFile.add(dropFreeSchemas);
  const used = free.pop();
  if (used !== undefined) return used.schema;
  const script = await (postgres ??= recordMigrations(url));
  const schema = `t_${randomBytes(6).toString('hex')}`;
  await runOn(url, `${script.replaceAll(PLACEHOLDER, schema)};\n${renameFileStore()}`);
  return schema;
}

/** Deletes the rows of a schema of {@link takePostgresSchema}, so that it can be taken again. */
export async function returnPostgresSchema(url: string, schema: string): Promise<void> {
  try {
    await runOn(url, emptyTables(schema));
    free.push({ url, schema });
  } catch {
    // The test changed the tables, or dropped them.
    await dropPostgresSchema(url, schema);
  }
}

/** Returns the statements that delete all rows but those of the migrations. */
function emptyTables(schema: string): string {
  return `SET search_path TO "${schema}";
    DO $$ DECLARE name text; BEGIN
      FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = '${schema}'
        AND tablename NOT IN ('migrations', 'file_stores')
      LOOP EXECUTE format('DELETE FROM %I', name); END LOOP;
    END $$;
    ${renameFileStore()}`;
}

/** Drops a schema, also one that has been returned. */
export async function dropPostgresSchema(url: string, schema: string): Promise<void> {
  const index = free.findIndex((one) => one.schema === schema);
  if (index !== -1) free.splice(index, 1);
  await runOn(url, `DROP SCHEMA IF EXISTS "${schema}" CASCADE`);
}

async function dropFreeSchemas(): Promise<void> {
  for (const { url, schema } of [...free]) await dropPostgresSchema(url, schema);
}

async function runOn(url: string, statements: string): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    await client.query(statements);
  } finally {
    await client.end();
  }
}

/** Returns the statement that gives a copy a file store of its own, as its migration does. */
function renameFileStore(): string {
  return `UPDATE file_stores SET id = '${randomBytes(8).toString('hex')}'`;
}

async function makeSqliteTemplate(): Promise<string> {
  const folder = await makeScratchFolder();
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const config = readConfig({ PARLANCE_DATA_DIR: folder });
  const source = await writerDataSource(config, []).initialize();
  await migrate(source, config);
  // The copied file must contain what is still in the write-ahead log.
  await source.query('PRAGMA wal_checkpoint(TRUNCATE)');
  await source.destroy();
  return join(folder, FILE);
}

async function recordMigrations(url: string): Promise<string> {
  const statements: string[] = [];
  const client = new pg.Client(url);
  await client.connect();
  const name = `${PLACEHOLDER}_${String(process.pid)}`;
  await client.query(`CREATE SCHEMA "${name}"`);
  const source = await new DataSource({
    type: 'postgres',
    url,
    schema: name,
    migrations: MIGRATIONS,
    logger: new StatementRecorder(statements),
    logging: 'all',
    extra: { options: `-c search_path="${name}"` },
  }).initialize();
  await source.runMigrations({ transaction: 'each' });
  await source.destroy();
  await client.query(`DROP SCHEMA "${name}" CASCADE`);
  await client.end();
  const create = `CREATE SCHEMA "${PLACEHOLDER}"; SET search_path TO "${PLACEHOLDER}";`;
  return [create, ...statements].join(';\n').replaceAll(name, PLACEHOLDER);
}

/** Keeps the statements that change the database, with their parameters written out. */
class StatementRecorder implements Logger {
  constructor(private readonly statements: string[]) {}

  logQuery(query: string, parameters: unknown[] = []): void {
    if (!CHANGES.test(query)) return;
    this.statements.push(
      query.replace(/\$(\d+)/g, (_match, at) => {
        const value = parameters[Number(at) - 1];
        return typeof value === 'number' ? String(value) : pg.escapeLiteral(String(value));
      }),
    );
  }

  logQueryError(): void {}
  logQuerySlow(): void {}
  logSchemaBuild(): void {}
  logMigration(): void {}
  log(): void {}
}
