import type { PoolClient } from 'pg';

import { Writer } from '#src/database/writer.js';

import type { TestServer } from './server.js';

/** The writer with its connection, which is private: only tests count its statements. */
interface WithClient {
  readonly connection: { readonly current: { readonly client: PoolClient } };
}

/** Counts how often the writer sends statements while it waits for no answer. */
export function countRoundTrips(server: TestServer): { count: number } {
  const writer = server.app.get<Writer, WithClient>(Writer);
  const { client } = writer.connection.current;
  const query = client.query.bind(client) as (...given: unknown[]) => Promise<unknown>;
  const trips = { count: 0 };
  let waiting = 0;
  client.query = ((...given: unknown[]) => {
    if (waiting++ === 0) trips.count++;
    return query(...given).finally(() => waiting--);
  }) as typeof client.query;
  return trips;
}
