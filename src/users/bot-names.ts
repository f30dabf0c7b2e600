import { setTimeout as delay } from 'node:timers/promises';

import { Injectable } from '@nestjs/common';

import { ProtocolError } from '../protocol/errors.js';
import { BotAccounts } from './bot-accounts.js';
import { ReservedNames } from './reserved-names.js';

/** Maximum time that a guest waits for a database that does not answer. */
const MAX_WAIT_MS = 1_000;

/** Names of bots, including those registered while the server runs (P-13.1). */
@Injectable()
export class BotNames {
  private last: Promise<unknown> = Promise.resolve();
  private next: Promise<void> | null = null;

  constructor(
    private readonly accounts: BotAccounts,
    private readonly reserved: ReservedNames,
  ) {}

  /**
   * Throws if a name belongs to a bot, or looks like one that does.
   *
   * Without its database the server uses the names that it knows, and guests still get in.
   *
   * @throws ProtocolError `name_reserved`
   */
  async requireFree(name: string): Promise<void> {
    this.reserved.check(name);
    const ended = new AbortController();
    const timeout = delay(MAX_WAIT_MS, undefined, { signal: ended.signal, ref: false });
    try {
      await Promise.race([this.refresh(), timeout]);
    } finally {
      timeout.catch(() => undefined);
      ended.abort();
    }
    this.reserved.check(name);
  }

  /** Reads the names once for all callers; a read in progress may miss later registrations. */
  private refresh(): Promise<void> {
    this.next ??= this.last.then(() => {
      this.next = null;
      const read = this.read();
      this.last = read.catch(() => undefined);
      return read;
    });
    return this.next;
  }

  private async read(): Promise<void> {
    try {
      for (const { name } of await this.accounts.list()) this.reserved.reserve(name);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
    }
  }
}
