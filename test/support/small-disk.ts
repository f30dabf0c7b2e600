import type { Database as SqliteHandle } from 'better-sqlite3';

import { Writer } from '#src/database/writer.js';

import type { TestServer } from './server.js';

/** What SQLite takes as the greatest number of pages when nobody has said otherwise. */
const NO_LIMIT = 4_294_967_294;

/** The storage under the database of a server, as small as a test wants it. */
export class SmallDisk {
  private readonly writer: Writer;

  constructor(private readonly server: TestServer) {
    this.writer = server.app.get(Writer);
  }

  /** Leaves SQLite room for so many pages of 4 KiB beyond those in use. */
  leave(pages: number): void {
    const used = this.handle.pragma('page_count', { simple: true }) as number;
    this.handle.pragma(`max_page_count = ${String(used + pages)}`);
  }

  /** Makes room again. */
  grow(): void {
    this.handle.pragma(`max_page_count = ${String(NO_LIMIT)}`);
  }

  /** Takes no change at all from now on, or takes them again. */
  async refuse(refuses: boolean): Promise<void> {
    const state = refuses ? 'ON' : 'OFF';
    if (this.server.env['DATABASE_URL'] === undefined) {
      this.handle.pragma(`query_only = ${state}`);
    } else {
      // What providers of PostgreSQL do when the disk is nearly full.
      await this.writer.run(({ sql }) => sql.run(`SET default_transaction_read_only = ${state}`));
    }
  }

  private get handle(): SqliteHandle {
    // The limits are those of one connection, and only SQLite knows of them.
    return (this.writer as unknown as { connection: { handle: SqliteHandle } }).connection.handle;
  }
}
