import type { Database as SqliteHandle, Statement } from 'better-sqlite3';
import type { PoolClient } from 'pg';

/** Value that a statement takes. */
export type SqlValue = string | number | null;

/**
 * Prepared statements on one connection, for the few queries on the path of a message.
 *
 * Statements are written once for both databases, with `?` for parameters.
 */
export interface Sql {
  /** Statements so far that may have changed something. */
  readonly changes: number;
  /** Reads rows; for queries that change nothing. */
  all<Row>(statement: string, ...values: SqlValue[]): Promise<Row[]>;
  get<Row>(statement: string, ...values: SqlValue[]): Promise<Row | undefined>;
  run(statement: string, ...values: SqlValue[]): Promise<void>;
}

/** Statements on SQLite; they run at once, on the event loop. */
export class SqliteSql implements Sql {
  changes = 0;
  private readonly prepared = new Map<string, Statement<SqlValue[]>>();

  constructor(private readonly handle: SqliteHandle) {}

  async all<Row>(statement: string, ...values: SqlValue[]): Promise<Row[]> {
    return this.prepare(statement).all(...values) as Row[];
  }

  async get<Row>(statement: string, ...values: SqlValue[]): Promise<Row | undefined> {
    const row = this.prepare(statement).get(...values) as Row | undefined;
    if (row !== undefined && !isRead(statement)) this.changes++;
    return row;
  }

  async run(statement: string, ...values: SqlValue[]): Promise<void> {
    this.changes++;
    this.prepare(statement).run(...values);
  }

  private prepare(text: string): Statement<SqlValue[]> {
    let statement = this.prepared.get(text);
    if (statement === undefined) {
      statement = this.handle.prepare(text);
      this.prepared.set(text, statement);
    }
    return statement;
  }
}

/** Statements on PostgreSQL, named so that the server prepares each once a connection. */
export class PostgresSql implements Sql {
  private static readonly queries = new Map<string, { name: string; text: string }>();

  changes = 0;

  constructor(private readonly client: PoolClient) {}

  async all<Row>(statement: string, ...values: SqlValue[]): Promise<Row[]> {
    const result = await this.client.query({ ...PostgresSql.named(statement), values });
    return result.rows as Row[];
  }

  async get<Row>(statement: string, ...values: SqlValue[]): Promise<Row | undefined> {
    const [row] = await this.all<Row>(statement, ...values);
    if (row !== undefined && !isRead(statement)) this.changes++;
    return row;
  }

  async run(statement: string, ...values: SqlValue[]): Promise<void> {
    this.changes++;
    await this.all(statement, ...values);
  }

  /**
   * Commits.
   *
   * PostgreSQL answers a commit after a failed statement by a rollback, without an error.
   */
  async commit(): Promise<void> {
    const { command } = await this.client.query('COMMIT');
    if (command !== 'COMMIT') throw new Error(`The commit was answered by ${command}`);
  }

  private static named(statement: string): { name: string; text: string } {
    let query = PostgresSql.queries.get(statement);
    if (query === undefined) {
      let parameter = 0;
      const text = statement.replace(/\?/g, () => `$${String(++parameter)}`);
      query = { name: `parlance_${String(PostgresSql.queries.size)}`, text };
      PostgresSql.queries.set(statement, query);
    }
    return query;
  }
}

function isRead(statement: string): boolean {
  return statement.startsWith('SELECT');
}
