import type { Config } from '../config/config.js';
import { digestOf, clusterSettings } from '../config/cluster-settings.js';
import type { Sql } from './sql.js';

const PREFIX = 'parlance';

/** A server that is connected to a schema. */
export interface ConnectedWriter {
  /** Id of this run of the server. */
  readonly boot: string;
  /** Digest of its settings. */
  readonly settings: string;
}

/**
 * Returns the name of the writer's connections to PostgreSQL.
 *
 * Other servers see it in `pg_stat_activity` as long as one of the connections exists.
 */
export function writerName(boot: string, config: Config): string {
  return [PREFIX, boot, digestOf(clusterSettings(config))].join(':');
}

/** Returns the servers whose writers are connected to a schema, or may still commit to it. */
export async function findWriters(sql: Sql, schema: string): Promise<ConnectedWriter[]> {
  const rows = await sql.all<{ name: string }>(
    `SELECT a.application_name AS name FROM pg_stat_activity a JOIN pg_locks l ON l.pid = a.pid
      WHERE l.locktype = 'advisory' AND l.objsubid = 2 AND l.granted
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND l.classid::bigint = hashtext('parlance')::bigint & 4294967295
        AND l.objid::bigint = hashtext(current_database() || $1)::bigint & 4294967295`,
    schema,
  );
  return rows.map(({ name }) => {
    const [, boot = '', settings = ''] = name.split(':');
    return { boot, settings };
  });
}
