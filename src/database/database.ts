import { mkdir } from 'node:fs/promises';

import type { DataSource } from 'typeorm';

import type { Config } from '../config/config.js';
import { readerDataSource, sqliteFile, writerDataSource, type Entities } from './data-source.js';
import { lockSqlite } from './database-lock.js';
import { Reader } from './reader.js';
import {
  PostgresWriterConnection,
  SqliteWriterConnection,
  type WriterConnection,
} from './writer-connection.js';
import { Writer } from './writer.js';

/** The open database: one writer, and readers beside it. */
export class Database {
  private ready = true;

  private constructor(
    readonly writer: Writer,
    readonly reader: Reader,
    private readonly closing: (() => Promise<void> | void)[],
  ) {}

  /** Opens the database, alone, with its schema up to date. */
  static async open(config: Config, entities: Entities): Promise<Database> {
    const closing: (() => Promise<void> | void)[] = [];
    try {
      return await Database.build(config, entities, closing);
    } catch (error) {
      for (const close of closing.toReversed()) await close();
      throw error;
    }
  }

  /** Tells whether the database is there. */
  isReady(): boolean {
    return this.ready;
  }

  /** Tells whether nothing but reading goes, as with a full disk. */
  isReadOnly(): boolean {
    return this.writer.isRefused();
  }

  /** Commits what was accepted and closes. */
  async close(): Promise<void> {
    await this.writer.close();
    for (const close of this.closing.splice(0).toReversed()) await close();
  }

  private static async build(
    config: Config,
    entities: Entities,
    closing: (() => Promise<void> | void)[],
  ): Promise<Database> {
    const file = sqliteFile(config);
    if (file !== null) {
      await mkdir(config.dataDir, { recursive: true });
      closing.push(await lockSqlite(file));
    }
    const source = await open(writerDataSource(config, entities), closing);
    let database: Database | null = null;
    const connection: WriterConnection =
      file === null
        ? await PostgresWriterConnection.open(source, config.databaseSchema, (ready) => {
            if (database !== null) database.ready = ready;
          })
        : new SqliteWriterConnection(source);
    closing.push(() => connection.close());
    if (file === null) {
      await source.query(`CREATE SCHEMA IF NOT EXISTS "${config.databaseSchema}"`);
    }
    await source.runMigrations({ transaction: 'each' });
    const reading = await open(readerDataSource(config, entities), closing);
    const writer = new Writer(connection);
    database = new Database(writer, new Reader(reading, writer), closing);
    return database;
  }
}

async function open(
  source: DataSource,
  closing: (() => Promise<void> | void)[],
): Promise<DataSource> {
  await source.initialize();
  closing.push(() => source.destroy());
  return source;
}
