import type { DatabaseClock } from './database-clock.js';

/** Position of an event in a log, with the epoch of the log and the time. */
export interface LogPosition {
  readonly seq: number;
  readonly epoch: string;
  readonly at: number;
}

/** The row of a log, as it was when it was locked. */
export interface LogRow {
  readonly id: string;
  readonly epoch: string;
  readonly head: number;
  readonly head_at: number;
}

/** A new head to store. */
export interface NewHead {
  readonly id: string;
  readonly head: number;
  readonly at: number;
}

/** State to which {@link LockedLogs.undo} returns. */
export interface Mark {
  readonly positions: number;
  readonly rows: number;
}

/** A row to insert, and the statement that inserts many such rows. */
interface PendingRow {
  readonly statement: string;
  readonly row: object;
}

/** A locked log with its head in this transaction. */
class Head {
  seq: number;
  at: number;

  constructor(readonly stored: LogRow) {
    this.seq = stored.head;
    this.at = stored.head_at;
  }
}

/**
 * The logs that a transaction on PostgreSQL has locked.
 *
 * Their heads change in memory, and rows to insert wait here, so that few statements store the
 * changes of many jobs.
 */
export class LockedLogs {
  private readonly heads = new Map<string, Head>();
  /** The heads before each position taken, oldest first. */
  private readonly taken: { head: Head; seq: number; at: number }[] = [];
  private rows: PendingRow[] = [];
  /** Inserts that were sent without waiting for the answer. */
  readonly sent: Promise<void>[] = [];
  /** When the locks were granted; their owners keep others waiting from then on. */
  readonly since = performance.now();

  constructor(
    private readonly declared: ReadonlySet<string>,
    rows: readonly LogRow[],
    private readonly clock: DatabaseClock,
  ) {
    for (const row of rows) this.heads.set(row.id, new Head(row));
  }

  /** Returns those of some logs that were not declared. */
  missing(logs: readonly string[]): string[] {
    return logs.filter((log) => !this.declared.has(log));
  }

  /** Returns the position of the last event of a log; null if there is no such log. */
  find(log: string): { epoch: string; seq: number } | null {
    const head = this.require(log);
    return head === null ? null : { epoch: head.stored.epoch, seq: head.seq };
  }

  /** Takes the next position of a log; null if there is no such log. */
  take(log: string): LogPosition | null {
    const head = this.require(log);
    if (head === null) return null;
    this.taken.push({ head, seq: head.seq, at: head.at });
    head.seq++;
    head.at = Math.max(head.at, this.clock.now());
    return { seq: head.seq, epoch: head.stored.epoch, at: head.at };
  }

  /** Inserts a row later, by a statement that reads many rows as JSON from its parameter. */
  insert(statement: string, row: object): void {
    this.rows.push({ statement, row });
  }

  /** Returns the current state. */
  mark(): Mark {
    return { positions: this.taken.length, rows: this.rows.length };
  }

  /** Returns to an earlier state, unless rows have been sent since. */
  undo({ positions, rows }: Mark): void {
    for (const { head, seq, at } of this.taken.splice(positions).toReversed()) {
      head.seq = seq;
      head.at = at;
    }
    this.rows.length = rows;
  }

  /** Returns the rows to insert, as JSON by statement, and forgets them. */
  takeRows(): Map<string, string> {
    const byStatement = new Map<string, object[]>();
    for (const { statement, row } of this.rows) {
      const rows = byStatement.get(statement);
      if (rows === undefined) byStatement.set(statement, [row]);
      else rows.push(row);
    }
    this.rows = [];
    return new Map([...byStatement].map(([statement, rows]) => [statement, JSON.stringify(rows)]));
  }

  /** Returns the heads that have changed. */
  newHeads(): NewHead[] {
    const heads: NewHead[] = [];
    for (const [id, { seq, at, stored }] of this.heads) {
      if (seq !== stored.head) heads.push({ id, head: seq, at });
    }
    return heads;
  }

  private require(log: string): Head | null {
    if (!this.declared.has(log)) throw new Error(`The job did not declare the log ${log}`);
    return this.heads.get(log) ?? null;
  }
}
