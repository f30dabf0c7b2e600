import type { DataSource } from 'typeorm';

import type { Config } from '../config/config.js';
import { sqliteFile, writerDataSource, type Entities } from './data-source.js';
import { lockPostgres, lockSqlite } from './database-lock.js';
import { hasPendingMigrations, migrate } from './migrate.js';
import { refusePooler } from './pooler.js';
import { makePrivateFile, makePrivateFolder } from './private-folder.js';

/**
 * Opens the database for another program of Parlance; the server may be running, or never have run.
 *
 * @throws StartError if the schema is newer, or older while a server runs
 */
export async function openBeside(config: Config, entities: Entities): Promise<DataSource> {
  const file = sqliteFile(config);
  if (file === null) {
    await refusePooler(config);
  } else {
    await makePrivateFolder(config.dataDir);
    await makePrivateFile(file);
  }
  const source = await writerDataSource(config, entities).initialize();
  try {
    if (await hasPendingMigrations(source, config)) await migrateAlone(source, config);
    return source;
  } catch (error) {
    await source.destroy();
    throw error;
  }
}

/** Takes the lock, so that the schema does not change under a running server. */
async function migrateAlone(source: DataSource, config: Config): Promise<void> {
  const file = sqliteFile(config);
  if (file !== null) {
    const unlock = await lockSqlite(file);
    await migrate(source, config).finally(unlock);
    return;
  }
  const runner = source.createQueryRunner();
  try {
    await lockPostgres(runner, { schema: config.databaseSchema, isShared: false });
    await migrate(source, config);
    await runner.query('SELECT pg_advisory_unlock_all()');
  } finally {
    await runner.release();
  }
}
