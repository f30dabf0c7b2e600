import { readConfig } from './config/config.js';
import { loadEnvFile } from './config/env-file.js';
import { StartError } from './config/start-error.js';
import { databaseAddress, readerDataSource } from './database/data-source.js';
import { hasPendingMigrations } from './database/migrate.js';
import { toOpenError } from './database/open-error.js';
import { Reader } from './database/reader.js';
import { sqliteHandle } from './database/writer-connection.js';
import { exitOnError } from './server/exit-on-error.js';
import { ENTITIES } from './store/entities.js';
import { verifyLogs, type Verified } from './store/verify-logs.js';

/** The state of a writer in another process, which is unknown here. */
const NO_WRITER = { isDisconnected: () => false, synced: () => undefined, check: () => undefined };

/** Compares the stored data with its hashes, even while the server runs; exits with 1 on a fault. */
async function main(): Promise<void> {
  loadEnvFile();
  const config = readConfig(process.env);
  const source = await readerDataSource(config, ENTITIES)
    .initialize()
    .catch((error: unknown) => {
      throw toOpenError(error, config);
    });
  try {
    if (await hasPendingMigrations(source, config)) {
      throw new StartError({
        what: 'The database has the schema of an earlier version.',
        where: databaseAddress(config),
        remedy: 'Start this version of the server once, then run verify again.',
      });
    }
    let faults = 0;
    const report = (fault: string): void => {
      faults++;
      process.stdout.write(`${fault}\n`);
    };
    if (source.options.type === 'better-sqlite3') {
      const found = sqliteHandle(source).pragma('integrity_check') as { integrity_check: string }[];
      for (const { integrity_check: text } of found) if (text !== 'ok') report(text);
    }
    const verified: Verified = { events: 0, messages: 0, withoutHash: 0 };
    await new Reader(source, NO_WRITER, config.databaseStatementMs).snapshot(async ({ sql }) => {
      for await (const fault of verifyLogs(sql, verified)) report(fault);
    });
    const { events, messages, withoutHash } = verified;
    process.stdout.write(
      `${String(events)} events and ${String(messages)} messages read, ${String(withoutHash)} of them ` +
        `without a hash, ${String(faults)} faults\n`,
    );
    if (faults > 0) process.exitCode = 1;
  } finally {
    await source.destroy();
  }
}

main().catch(exitOnError);
