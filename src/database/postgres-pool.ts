import { Socket } from 'node:net';

import { Logger } from '@nestjs/common';
import pg from 'pg';

/** Share of the deadline after which PostgreSQL cancels a statement, which keeps the connection. */
const SERVER_SHARE = 0.8;
/** Time limit for PostgreSQL to close a connection that this side has ended. */
const CLOSE_MS = 1_000;
/** Share of the deadline that the writer waits for a lock: 2 s by default. */
const LOCK_SHARE = 0.4;
/**
 * Share of the deadline that a transaction of the writer may be idle: 3 s by default. Then
 * PostgreSQL ends it, so that a stopped server does not keep its rooms from others.
 */
const IDLE_SHARE = 0.6;
/** PostgreSQL drops the locks of a lost server after about a minute. */
const KEEPALIVE = { tcp_keepalives_idle: 30, tcp_keepalives_interval: 10, tcp_keepalives_count: 3 };

/**
 * Lifts the time limits that the role and the database set for sessions; versions differ in them.
 *
 * The server has deadlines of its own, and its lock belongs to a session that may be idle.
 */
const OWN_TIMEOUTS = `SELECT set_config(name, '0', false) FROM pg_settings WHERE name IN
  ('idle_session_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout')`;
/** Makes acknowledged commits durable, whatever the role or the database sets. */
const DURABLE_COMMITS = `SELECT set_config('synchronous_commit', 'on', false)
  WHERE current_setting('synchronous_commit') = 'off'`;

/** Settings of the connections of one pool. */
export interface PoolSettings {
  readonly schema: string;
  /** Deadline of each statement, in milliseconds; none when undefined. */
  readonly statementMs: number | undefined;
  /** Whether the pool only reads: PostgreSQL may then cancel any statement, even a commit. */
  readonly isReading: boolean;
}

/**
 * Returns the options of node-postgres for a pool with a deadline for statements.
 *
 * A statement that is not answered in time ends its connection, and fails like any statement whose
 * connection is lost. The session is set up by statements, because poolers refuse
 * startup options.
 */
export function postgresPool(settings: PoolSettings): object {
  return {
    keepAlive: true,
    // The writer sends statements without waiting for the answers to earlier ones.
    pipeline: !settings.isReading,
    stream: makeSocket,
    onConnect: async (client: pg.Client): Promise<void> => {
      if (settings.statementMs !== undefined) endWhenSilent(client, settings.statementMs);
      await client.query(sessionStatements(settings));
    },
    // int8 as numbers: times and positions stay far below 2^53.
    types: {
      getTypeParser: (...[oid, format]: Parameters<typeof pg.types.getTypeParser>): unknown =>
        oid === pg.types.builtins.INT8 ? Number : pg.types.getTypeParser(oid, format),
    },
  };
}

function sessionStatements({ schema, statementMs = 0, isReading }: PoolSettings): string {
  const cancelMs = Math.ceil(statementMs * SERVER_SHARE);
  const session = {
    search_path: `"${schema}"`,
    lock_timeout: isReading ? cancelMs : Math.ceil(statementMs * LOCK_SHARE),
    // PostgreSQL answers a commit that is cancelled while it waits for a standby as if it were done:
    // the writer has no such limit, whatever the role or the database sets.
    statement_timeout: isReading ? cancelMs : 0,
    ...KEEPALIVE,
  };
  const statements = Object.entries(session).map(
    ([name, value]) => `SET ${name} TO ${String(value)}`,
  );
  const limits = isReading || statementMs === 0 ? [] : [releaseOfRooms(statementMs)];
  return [...statements, OWN_TIMEOUTS, ...limits, DURABLE_COMMITS].join('; ');
}

/**
 * Returns the statement that limits how long a lost writer keeps its locks.
 *
 * Versions know different limits, and not every platform can check connections.
 */
function releaseOfRooms(statementMs: number): string {
  const limits = {
    idle_in_transaction_session_timeout: Math.ceil(statementMs * IDLE_SHARE),
    tcp_user_timeout: statementMs,
    client_connection_check_interval: Math.ceil(statementMs / 5),
  };
  const cases = Object.entries(limits).map(([name, ms]) => `WHEN '${name}' THEN '${String(ms)}'`);
  const names = Object.keys(limits).map((name) => `'${name}'`);
  return `SELECT set_config(name, CASE name ${cases.join(' ')} END, false) FROM pg_settings
    WHERE name IN (${names.join(', ')})
      AND (name <> 'client_connection_check_interval' OR version() LIKE '%linux%')`;
}

/** Returns a socket that limits its wait for the other side to close the connection. */
function makeSocket(): Socket {
  const socket = new Socket();
  socket.once('finish', () => {
    const timer = setTimeout(() => socket.destroy(), CLOSE_MS);
    socket.once('close', () => clearTimeout(timer));
  });
  return socket;
}

/** Ends a connection without waiting for answers; statements that wait for them fail. */
export function abort(client: pg.ClientBase): void {
  void (client as pg.Client).end();
  // With a pipeline, the client would wait for a server that may be silent.
  (client as unknown as { connection: { stream: Socket } }).connection.stream.destroy();
}

/** Ends a connection if its statements are not answered within the deadline. */
function endWhenSilent(client: pg.Client, deadlineMs: number): void {
  let timer: NodeJS.Timeout | undefined;
  let hasEnded = false;
  const query = client.query.bind(client) as (...given: unknown[]) => unknown;
  const giveUp = (): void => {
    new Logger('PostgreSQL').warn({
      msg: 'PostgreSQL did not answer in time; the connection is closed',
      deadlineMs,
      setting: 'PARLANCE_DATABASE_STATEMENT_MS',
    });
    abort(client);
  };
  client.query = ((...given: unknown[]) => {
    if (!hasEnded) timer ??= setTimeout(giveUp, deadlineMs);
    return query(...given);
  }) as typeof client.query;
  const disarm = (): void => {
    clearTimeout(timer);
    timer = undefined;
  };
  client.on('drain', disarm);
  client.once('end', () => {
    hasEnded = true;
    disarm();
  });
}
