import type { Database as SqliteHandle } from 'better-sqlite3';

import { Writer } from '#src/database/writer.js';

import type { TestServer } from './server.js';

/** The default of `max_page_count` in SQLite. */
const NO_LIMIT = 4_294_967_294;

/** Limits the storage of the database of a server. */
export class SmallDisk {
  private readonly writer: Writer;

  constructor(private readonly server: TestServer) {
    this.writer = server.app.get(Writer);
  }

  /** Leaves SQLite space for `pages` more pages of 4 KiB. */
  leavePages(pages: number): void {
    const used = this.handle.pragma('page_count', { simple: true }) as number;
    this.handle.pragma(`max_page_count = ${String(used + pages)}`);
  }

  /** Removes the limit. */
  removeLimit(): void {
    this.handle.pragma(`max_page_count = ${String(NO_LIMIT)}`);
  }

  /** Makes the database read-only, or writable again. */
  async setReadOnly(isReadOnly: boolean): Promise<void> {
    const state = isReadOnly ? 'ON' : 'OFF';
    if (this.server.env['DATABASE_URL'] === undefined) {
      this.handle.pragma(`query_only = ${state}`);
    } else {
      // Providers of PostgreSQL do this when the disk is nearly full.
      await this.writer.run([], ({ sql }) =>
        sql.run(`SET default_transaction_read_only = ${state}`),
      );
    }
  }

  private get handle(): SqliteHandle {
    // The limits belong to one connection of SQLite.
    return (this.writer as unknown as { connection: { handle: SqliteHandle } }).connection.handle;
  }
}
