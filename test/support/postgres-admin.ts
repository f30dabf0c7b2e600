import pg from 'pg';

import { Reader } from '#src/database/reader.js';

import { eventually } from './eventually.js';
import type { TestServer } from './server.js';

const END_MS = 5_000;
/** Maximum number of connections of the readers of a server. */
const READERS = 8;
/** Finds the writer, which holds the lock of its schema. */
const WRITER = `SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted
  AND classid::bigint = hashtext('parlance')::bigint & 4294967295
  AND objid::bigint = hashtext(current_database() || $1)::bigint & 4294967295`;

/** An administrator of PostgreSQL, who can terminate connections of a server and lock tables. */
export class PostgresAdmin {
  private constructor(
    private readonly client: pg.Client,
    private readonly server: TestServer,
  ) {}

  /** Connects to the database of a server. */
  static async connect(server: TestServer): Promise<PostgresAdmin> {
    const client = new pg.Client(server.env['DATABASE_URL']);
    await client.connect();
    return new PostgresAdmin(client, server);
  }

  /** Terminates the connection of the writer and waits for its end; returns false if there is none. */
  async terminateWriter(): Promise<boolean> {
    const query = `SELECT pg_terminate_backend(pid, $2) FROM (${WRITER}) AS writer`;
    const schema = this.server.env['PARLANCE_DATABASE_SCHEMA'];
    return (await this.client.query(query, [schema, END_MS])).rows.length > 0;
  }

  /** Terminates the connections of the readers while they read. */
  async terminateReaders(): Promise<void> {
    const query = 'SELECT pg_terminate_backend(pid) FROM unnest($1::int[]) AS pid';
    await this.client.query(query, [await this.pidsOfReaders()]);
  }

  /** Locks a table against reads and writes until {@link unlock}. */
  async lock(table: string): Promise<void> {
    const { PARLANCE_DATABASE_SCHEMA: schema = 'public' } = this.server.env;
    await this.client.query(`BEGIN; LOCK TABLE "${schema}"."${table}" IN ACCESS EXCLUSIVE MODE`);
  }

  /** Waits until another connection waits for a lock of this one, or of the backend `pid`. */
  async untilBlocked(pid?: number): Promise<void> {
    const query = `SELECT 1 FROM pg_locks
      WHERE NOT granted AND COALESCE($1, pg_backend_pid()) = ANY (pg_blocking_pids(pid))`;
    const isBlocked = async () => (await this.client.query(query, [pid])).rows.length > 0;
    await eventually(isBlocked, 'a connection that waits for the lock');
  }

  /** Releases the lock of {@link lock}. */
  async unlock(): Promise<void> {
    await this.client.query('COMMIT');
  }

  /** Disconnects. */
  async end(): Promise<void> {
    await this.client.end();
  }

  /** Reads on all connections at once, so that each returns its own process id. */
  private async pidsOfReaders(): Promise<number[]> {
    const pids: number[] = [];
    let allRead = (): void => undefined;
    const whenAllRead = new Promise<void>((resolve) => (allRead = resolve));
    const read = () =>
      this.server.app.get(Reader).snapshot(async ({ sql }) => {
        const row = await sql.get<{ pid: number }>('SELECT pg_backend_pid() AS pid');
        if (row !== undefined && pids.push(row.pid) === READERS) allRead();
        await whenAllRead;
      });
    await Promise.all(Array.from({ length: READERS }, read));
    return pids;
  }
}
