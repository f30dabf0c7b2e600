import pg from 'pg';

import { Reader } from '#src/database/reader.js';

import { eventually } from './eventually.js';
import type { TestServer } from './server.js';

const END_MS = 5_000;
/** Connections that the readers of a server have at most. */
const READERS = 8;
/** The lock of a schema is held by its writer. */
const WRITER = `SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted
  AND classid::bigint = hashtext('parlance')::bigint & 4294967295
  AND objid::bigint = hashtext(current_database() || $1)::bigint & 4294967295`;

/** What an administrator of PostgreSQL may do to the connections of a server. */
export class PostgresAdmin {
  private constructor(
    private readonly client: pg.Client,
    private readonly server: TestServer,
  ) {}

  /** Connects beside a server. */
  static async beside(server: TestServer): Promise<PostgresAdmin> {
    const client = new pg.Client(server.env['DATABASE_URL']);
    await client.connect();
    return new PostgresAdmin(client, server);
  }

  /** Ends the connection that writes, and waits for that; false if there is none. */
  async terminateWriter(): Promise<boolean> {
    const query = `SELECT pg_terminate_backend(pid, $2) FROM (${WRITER}) AS writer`;
    const schema = this.server.env['PARLANCE_DATABASE_SCHEMA'];
    return (await this.client.query(query, [schema, END_MS])).rows.length > 0;
  }

  /** Ends the connections that read, in the middle of what they do. */
  async terminateReaders(): Promise<void> {
    const query = 'SELECT pg_terminate_backend(pid) FROM unnest($1::int[]) AS pid';
    await this.client.query(query, [await this.pidsOfReaders()]);
  }

  /** Has nobody read or write a table until {@link unlock}. */
  async lock(table: string): Promise<void> {
    const { PARLANCE_DATABASE_SCHEMA: schema = 'public' } = this.server.env;
    await this.client.query(`BEGIN; LOCK TABLE "${schema}"."${table}" IN ACCESS EXCLUSIVE MODE`);
  }

  /** Waits until somebody waits for what is locked. */
  async untilBlocked(): Promise<void> {
    const query =
      'SELECT 1 FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))';
    const isBlocked = async () => (await this.client.query(query)).rows.length > 0;
    await eventually(isBlocked, 'somebody who waits for the lock');
  }

  /** Ends {@link lock}. */
  async unlock(): Promise<void> {
    await this.client.query('COMMIT');
  }

  /** Disconnects. */
  async end(): Promise<void> {
    await this.client.end();
  }

  /** Reads on all connections at once, so that each tells which it is. */
  private async pidsOfReaders(): Promise<number[]> {
    const pids: number[] = [];
    let told = (): void => undefined;
    const allTold = new Promise<void>((resolve) => (told = resolve));
    const read = () =>
      this.server.app.get(Reader).snapshot(async ({ sql }) => {
        const row = await sql.get<{ pid: number }>('SELECT pg_backend_pid() AS pid');
        if (row !== undefined && pids.push(row.pid) === READERS) told();
        await allTold;
      });
    await Promise.all(Array.from({ length: READERS }, read));
    return pids;
  }
}
