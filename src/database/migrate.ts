import { MigrationExecutor, type DataSource } from 'typeorm';

import type { Config } from '../config/config.js';
import { StartError } from '../config/start-error.js';
import { databaseAddress, migrationDataSource } from './data-source.js';
import { MIGRATIONS } from './migrations/index.js';

/**
 * Migrates the schema; creates it in a new database.
 *
 * @throws StartError if a newer version has changed the database
 */
export async function migrate(source: DataSource, config: Config): Promise<void> {
  if (!(await hasPendingMigrations(source, config))) return;
  if (source.options.type !== 'postgres') {
    await source.runMigrations({ transaction: 'each' });
    return;
  }
  // Changing a large table may take longer than the limit for statements.
  const unlimited = await migrationDataSource(config).initialize();
  try {
    await unlimited.runMigrations({ transaction: 'each' });
  } finally {
    await unlimited.destroy();
  }
}

/**
 * Returns whether the schema is older than this version.
 *
 * @throws StartError if it is newer
 */
export async function hasPendingMigrations(source: DataSource, config: Config): Promise<boolean> {
  if (source.options.type === 'postgres') await makeSchema(source, config.databaseSchema);
  const executor = new MigrationExecutor(source);
  const executed = (await executor.getExecutedMigrations()).map(({ name }) => name);
  const known = MIGRATIONS.map(({ name }) => name);
  const unknown = executed.filter((name) => !known.includes(name));
  if (unknown.length > 0) throw newerDatabase(unknown, config);
  return known.some((name) => !executed.includes(name));
}

/** Checks first, since a user who may not create schemas can use an existing one. */
async function makeSchema(source: DataSource, schema: string): Promise<void> {
  const found = await source.query<unknown[]>('SELECT 1 FROM pg_namespace WHERE nspname = $1', [
    schema,
  ]);
  if (found.length === 0) await source.query(`CREATE SCHEMA IF NOT EXISTS "${schema}"`);
}

function newerDatabase(unknown: readonly string[], config: Config): StartError {
  return new StartError({
    what: `A newer version of Parlance has changed the database: it holds ${unknown.join(', ')}.`,
    where: databaseAddress(config),
    remedy: 'Start that version or a later one, or restore the backup made before the upgrade.',
  });
}
