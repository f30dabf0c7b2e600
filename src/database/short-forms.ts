import type { LockedLogs } from './locked-logs.js';
import type { Sql } from './sql.js';
import {
  keyOf,
  type DeclaredLog,
  type Lookup,
  type ShortForm,
  type WriteTransaction,
} from './write-job.js';

/** The short forms of the jobs of a group, with the answers to their questions. */
export class ShortForms {
  private readonly answers = new Map<ShortForm<unknown>, unknown>();
  /** Logs that jobs have touched since the questions were answered. */
  private readonly outdated = new Set<string>();
  private readonly added = new Set<string>();

  private constructor() {}

  /** Asks the questions of jobs, one statement for each kind of question. */
  static async ask(
    sql: Sql,
    jobs: readonly { readonly short?: ShortForm<unknown> | undefined }[],
  ): Promise<ShortForms> {
    const byLookup = new Map<Lookup<unknown, unknown>, ShortForm<unknown>[]>();
    for (const { short } of jobs) {
      if (short === undefined) continue;
      const same = byLookup.get(short.lookup);
      if (same === undefined) byLookup.set(short.lookup, [short]);
      else same.push(short);
    }
    const forms = new ShortForms();
    const asked = [...byLookup].map(async ([lookup, shorts]) => {
      const questions = shorts.map(({ question }) => question);
      const answers = await lookup.ask(sql, questions);
      for (const [index, short] of shorts.entries()) forms.answers.set(short, answers[index]);
    });
    await Promise.all(asked);
    return forms;
  }

  /** Does a job by its short form; returns undefined if the job itself has to run. */
  run(short: ShortForm<unknown>, tx: WriteTransaction, locked: LockedLogs): unknown {
    if (this.outdated.has(short.log) || this.added.has(short.key)) return undefined;
    const value = short.run(tx, locked, this.answers.get(short));
    if (value !== undefined) this.added.add(short.key);
    return value;
  }

  /** Notes that a job has touched logs: answers that depend on them are outdated. */
  outdate(logs: readonly DeclaredLog[]): void {
    for (const log of logs) this.outdated.add(keyOf(log));
  }
}
