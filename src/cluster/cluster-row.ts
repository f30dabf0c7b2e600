import { randomBytes } from 'node:crypto';

import {
  differences,
  digestOf,
  clusterSettings,
  type ClusterSettings,
} from '../config/cluster-settings.js';
import { StartError } from '../config/start-error.js';
import type { Config } from '../config/config.js';
import { findWriters } from '../database/writer-name.js';
import type { Sql } from '../database/sql.js';
import type { Writer } from '../database/writer.js';

/** Partitions of the logs on the bus; stored, because they may never change in a cluster. */
const PARTITIONS = 64;
const ID_BYTES = 12;
const KEY_BYTES = 32;

/** Values that all servers on a database share. */
export interface Cluster {
  readonly id: string;
  /** Key that authenticates the frames on the bus. */
  readonly key: Uint8Array;
  readonly partitions: number;
}

interface Row {
  id: string;
  bus_key: string;
  partitions: number;
  settings: string;
}

/**
 * Joins the cluster of the database; the first server creates it.
 *
 * @throws StartError if another server runs with different settings
 */
export async function joinCluster(writer: Writer, config: Config, boot: string): Promise<Cluster> {
  const settings = clusterSettings(config);
  const row = await writer.run([], async ({ sql }) => {
    const found = await lockRow(sql, settings);
    const known = JSON.parse(found.settings) as ClusterSettings;
    if (digestOf(known) === digestOf(settings)) return found;
    // Servers that start at the same time find each other's connections.
    const writers = await findWriters(sql, config.databaseSchema);
    const others = writers.filter(
      (other) => other.boot !== boot && other.settings !== digestOf(settings),
    );
    if (others.length > 0) throw new DifferentSettingsError(differences(known, settings));
    await sql.run('UPDATE cluster SET settings = $1', JSON.stringify(settings));
    return found;
  });
  const key = Buffer.from(row.bus_key, 'base64url');
  return { id: row.id, key, partitions: row.partitions };
}

/** Stops the start because the servers on a database would follow different rules. */
export class DifferentSettingsError extends StartError {
  override readonly name = 'DifferentSettingsError';

  constructor(names: readonly string[]) {
    super({
      what: 'Another server on the database runs with different settings.',
      where: names.join(', '),
      remedy: 'Give all servers the same settings. To change one, stop all of them first.',
    });
  }
}

async function lockRow(sql: Sql, settings: ClusterSettings): Promise<Row> {
  await sql.run(
    `INSERT INTO cluster (id, bus_key, partitions, settings) VALUES ($1, $2, $3, $4)
       ON CONFLICT DO NOTHING`,
    randomBytes(ID_BYTES).toString('base64url'),
    randomBytes(KEY_BYTES).toString('base64url'),
    PARTITIONS,
    JSON.stringify(settings),
  );
  const row = await sql.get<Row>(
    'SELECT id, bus_key, partitions, settings FROM cluster FOR UPDATE',
  );
  if (row === undefined) throw new Error('The table cluster is empty');
  return row;
}
