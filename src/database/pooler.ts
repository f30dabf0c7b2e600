import pg from 'pg';

import type { Config } from '../config/config.js';
import { StartError } from '../config/start-error.js';
import { databaseAddress } from './data-source.js';

const PROBE = { name: 'parlance_probe', text: 'SELECT pg_backend_pid() AS pid' };
/** Protocol violation, and a prepared statement that is missing or there already. */
const POOLER_CODES = new Set(['08P01', '26000', '42P05']);

/**
 * Detects a pooler that gives each transaction another connection to PostgreSQL.
 *
 * Prepared statements and the lock of the database belong to one connection. This sets nothing in
 * the sessions, because the pooler would pass it on to other programs.
 *
 * @throws StartError if there is such a pooler
 */
export async function refusePooler(config: Config): Promise<void> {
  const clients = [0, 1].map(() => makeClient(config)) as [pg.Client, pg.Client];
  try {
    await Promise.all(clients.map((client) => client.connect()));
    if (await isPooled(...clients)) throw pooled(config);
  } catch (error) {
    const { code } = error as { code?: string };
    throw code !== undefined && POOLER_CODES.has(code) ? pooled(config) : error;
  } finally {
    for (const client of clients) void client.end();
  }
}

/** Returns whether a session changes its connection, or shares it with another session. */
async function isPooled(first: pg.Client, second: pg.Client): Promise<boolean> {
  const pids = [await pidInTransaction(first), await pidInTransaction(first)];
  // An idle pool may return the same connection repeatedly, so a second session takes it.
  await second.query('BEGIN');
  const other = await pidOf(second);
  pids.push(other === pids[0] ? -1 : await pidInTransaction(first));
  await second.query('ROLLBACK');
  return new Set(pids).size > 1;
}

async function pidInTransaction(client: pg.Client): Promise<number> {
  await client.query('BEGIN');
  const pid = await pidOf(client);
  await client.query('COMMIT');
  return pid;
}

async function pidOf(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ pid: number }>(PROBE);
  return rows[0]?.pid ?? 0;
}

function makeClient(config: Config): pg.Client {
  const client = new pg.Client({
    connectionString: config.databaseUrl,
    application_name: 'parlance',
    connectionTimeoutMillis: config.databaseWaitMs,
    query_timeout: config.databaseStatementMs,
  });
  // The statement that waits for the connection reports its failure.
  client.on('error', () => undefined);
  return client;
}

function pooled(config: Config): StartError {
  return new StartError({
    what: 'A pooler in transaction mode is in front of PostgreSQL: each transaction gets another connection.',
    where: databaseAddress(config),
    remedy:
      'Set pool_mode = session for this database in pgbouncer, or connect to PostgreSQL directly.',
  });
}
