import { readConfig } from '#src/config/config.js';
import { writerDataSource } from '#src/database/data-source.js';
import type { WriteJob } from '#src/database/write-job.js';
import { PostgresWriterConnection } from '#src/database/writer-connection.js';
import { Writer } from '#src/database/writer.js';
import { ENTITIES } from '#src/store/entities.js';

import type { TestServer } from './server.js';

let count = 0;

/** A write that is not committed yet. */
export interface OpenWrite {
  /** Commits the write. */
  commit(): Promise<void>;
}

/** Another process that writes to the PostgreSQL database of a server. */
export class SecondWriter {
  private constructor(
    readonly writer: Writer,
    /** Process id of its backend in PostgreSQL. */
    readonly pid: number,
    private readonly end: () => Promise<void>,
  ) {}

  /**
   * Connects, under a lock of its own: the server has that of the database.
   *
   * A long deadline for statements keeps the jobs of a test in one transaction.
   */
  static async open(server: TestServer, databaseStatementMs = 600_000): Promise<SecondWriter> {
    const config = { ...readConfig(server.env), databaseStatementMs };
    const source = await writerDataSource(config, ENTITIES).initialize();
    const databaseSchema = `${config.databaseSchema} of process ${String(++count)}`;
    const connection = await PostgresWriterConnection.open(source, { ...config, databaseSchema });
    const writer = new Writer(connection);
    const backend = 'SELECT pg_backend_pid() AS pid';
    const row = await writer.run([], ({ sql }) => sql.get<{ pid: number }>(backend));
    return new SecondWriter(writer, row?.pid ?? 0, async () => {
      await writer.close();
      await connection.close();
      await source.destroy();
    });
  }

  /** Runs writes, and keeps their transaction open. */
  async begin(write: () => Promise<unknown>): Promise<OpenWrite> {
    const written = write();
    let commit = (): void => undefined;
    const held = new Promise<void>((reached) => {
      const hold: WriteJob<void> = () => {
        reached();
        return new Promise((resolve) => (commit = resolve));
      };
      // In the same group, and so in the same transaction.
      void this.writer.run([], hold).catch(() => undefined);
    });
    await held;
    return {
      commit: async () => {
        commit();
        await written;
      },
    };
  }

  /** Runs a write and commits it. */
  run<T>(logs: readonly string[], job: WriteJob<T>): Promise<T> {
    return this.writer.run(logs, job);
  }

  /** Disconnects. */
  async close(): Promise<void> {
    await this.end();
  }
}
