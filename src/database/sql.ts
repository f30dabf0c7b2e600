import type { Database as SqliteHandle, Statement } from 'better-sqlite3';
import type { PoolClient } from 'pg';

/** Value of a parameter. */
export type SqlValue = string | number | null;

/**
 * Prepared statements on one connection.
 *
 * Use it on the path of a message, and where one statement does what TypeORM needs several for.
 * Statements are written once for both databases, with PostgreSQL's parameters: `$1`, `$2`, …
 */
export interface Sql {
  /** Returns all rows of a statement that only reads. */
  all<Row>(statement: string, ...values: SqlValue[]): Promise<Row[]>;
  /** Returns the first row, if there is one; the statement may write, with `RETURNING`. */
  get<Row>(statement: string, ...values: SqlValue[]): Promise<Row | undefined>;
  /** Runs a statement that writes. */
  run(statement: string, ...values: SqlValue[]): Promise<void>;
}

/** Number of statements so far that may have changed something. */
export class ChangeCounter {
  count = 0;

  /** Counts a statement unless it only reads. */
  add(statement: string): void {
    if (!statement.startsWith('SELECT')) this.count++;
  }
}

/** A commit that PostgreSQL answered by something else. */
export class CommitError extends Error {
  override readonly name = 'CommitError';

  constructor(answer: string) {
    super(`The commit was answered by ${answer}`);
  }
}

interface SqliteStatement {
  readonly statement: Statement<SqlValue[]>;
  /** Index of the value of each `?`; null if the values are in that order already. */
  readonly order: readonly number[] | null;
}

/** Statements on SQLite. They are synchronous and block the event loop. */
export class SqliteSql implements Sql {
  private readonly prepared = new Map<string, SqliteStatement>();

  constructor(
    private readonly handle: SqliteHandle,
    private readonly changes = new ChangeCounter(),
  ) {}

  async all<Row>(text: string, ...values: SqlValue[]): Promise<Row[]> {
    const { statement, order } = this.prepare(text);
    return statement.all(...sort(values, order)) as Row[];
  }

  async get<Row>(text: string, ...values: SqlValue[]): Promise<Row | undefined> {
    const { statement, order } = this.prepare(text);
    const row = statement.get(...sort(values, order)) as Row | undefined;
    if (row !== undefined) this.changes.add(text);
    return row;
  }

  async run(text: string, ...values: SqlValue[]): Promise<void> {
    const { statement, order } = this.prepare(text);
    this.changes.count++;
    statement.run(...sort(values, order));
  }

  private prepare(text: string): SqliteStatement {
    let prepared = this.prepared.get(text);
    if (prepared === undefined) {
      prepared = prepareSqlite(this.handle, text);
      this.prepared.set(text, prepared);
    }
    return prepared;
  }
}

/** Statements on PostgreSQL, named so that each connection prepares each of them once. */
export class PostgresSql implements Sql {
  private static readonly names = new Map<string, string>();

  constructor(
    private readonly client: PoolClient,
    private readonly changes = new ChangeCounter(),
  ) {}

  async all<Row>(text: string, ...values: SqlValue[]): Promise<Row[]> {
    const result = await this.client.query({ name: PostgresSql.nameOf(text), text, values });
    return result.rows as Row[];
  }

  async get<Row>(text: string, ...values: SqlValue[]): Promise<Row | undefined> {
    const [row] = await this.all<Row>(text, ...values);
    if (row !== undefined) this.changes.add(text);
    return row;
  }

  async run(text: string, ...values: SqlValue[]): Promise<void> {
    this.changes.count++;
    await this.all(text, ...values);
  }

  /**
   * Commits the transaction.
   *
   * @throws CommitError if PostgreSQL rolled back instead, as it does after a failed statement,
   *   without an error
   */
  async commit(): Promise<void> {
    const { command } = await this.client.query('COMMIT');
    if (command !== 'COMMIT') throw new CommitError(command);
  }

  private static nameOf(text: string): string {
    let name = PostgresSql.names.get(text);
    if (name === undefined) {
      name = `parlance_${String(PostgresSql.names.size)}`;
      PostgresSql.names.set(text, name);
    }
    return name;
  }
}

/** Returns parameters for a list of values: `$1, $2, $3`. */
export function parameters(count: number, first = 1): string {
  return Array.from({ length: count }, (_, index) => `$${String(first + index)}`).join(', ');
}

/** Replaces `$1`, which better-sqlite3 would look up by name in an object, by positional `?`. */
function prepareSqlite(handle: SqliteHandle, text: string): SqliteStatement {
  const order: number[] = [];
  const positional = text.replace(/\$(\d+)/g, (_, position: string) => {
    order.push(Number(position) - 1);
    return '?';
  });
  const isInOrder = order.every((index, at) => index === at);
  return { statement: handle.prepare(positional), order: isInOrder ? null : order };
}

function sort(values: SqlValue[], order: readonly number[] | null): SqlValue[] {
  return order === null ? values : order.map((index) => values[index] ?? null);
}
