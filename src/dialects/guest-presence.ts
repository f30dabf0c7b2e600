import { Inject, Injectable } from '@nestjs/common';

import { CONFIG, type Config } from '../config/config.js';
import { Lease, type Fence } from '../database/lease.js';
import { Reader } from '../database/reader.js';
import { parameters } from '../database/sql.js';
import type { WriteTransaction } from '../database/write-job.js';
import { Writer } from '../database/writer.js';
import { ownLog } from '../store/actor.js';

const BATCH = 100;
const RENEW = `UPDATE dialect_guests SET present_until = $1
  WHERE user_id IN (${parameters(BATCH, 2)})`;
const CLAIM = `UPDATE dialect_guests SET present_until = $1
  WHERE user_id = $2 AND present_until <= $3 RETURNING user_id`;
const LEAVE = 'UPDATE dialect_guests SET present_until = 0 WHERE user_id = $1';
const AWAY = `SELECT g.user_id AS id FROM dialect_guests g JOIN users u ON u.id = g.user_id
  WHERE g.present_until <= $1 AND u.last_seen_at <= $1`;

/**
 * Which guests of dialects are connected to any of the servers that share a database.
 *
 * Each server renews the presence of its own guests; that of a server that has died expires.
 */
@Injectable()
export class GuestPresence {
  /** Time between two renewals. */
  readonly renewMs: number;
  private readonly awayMs: number;

  constructor(
    @Inject(CONFIG) { dialectAwaySeconds }: Config,
    private readonly lease: Lease,
    private readonly writer: Writer,
    private readonly reader: Reader,
  ) {
    this.awayMs = dialectAwaySeconds * 1_000;
    this.renewMs = this.awayMs / 4;
  }

  /** Whether guests may be connected to other servers. */
  get isShared(): boolean {
    return this.lease.isShared;
  }

  /** Returns until when a guest who is connected now is present; 0 if no other server asks. */
  until(now: number): number {
    return this.isShared ? now + 3 * this.renewMs : 0;
  }

  /** Renews the presence of guests. */
  async renew(present: ReadonlySet<string>): Promise<void> {
    const ids = [...present];
    for (let from = 0; from < ids.length; from += BATCH) {
      const batch = ids.slice(from, from + BATCH);
      await this.writer.run([], (tx) => {
        // Without those who have left in the meantime, and always as long: one prepared statement.
        const values = Array.from({ length: BATCH }, (_, index) => {
          const id = batch[index];
          return id !== undefined && present.has(id) ? id : null;
        });
        return tx.sql.run(RENEW, this.until(tx.now()), ...values);
      });
    }
  }

  /** Marks a guest who returns as present; returns false if another server has done so. */
  async claim(id: string): Promise<boolean> {
    if (!this.isShared) return true;
    const row = await this.writer.run([ownLog(id)], (tx) =>
      tx.sql.get(CLAIM, this.until(tx.now()), id, tx.now()),
    );
    return row !== undefined;
  }

  /** Notes that a guest has disconnected. */
  async leave(id: string): Promise<void> {
    await this.writer.run([], ({ sql }) => sql.run(LEAVE, id));
  }

  /** Returns the check for the removal of guests who are {@link listAway}. */
  fence(): Fence | undefined {
    return this.lease.fence();
  }

  /** Lists the guests who have been away for the grace period, if this server removes them. */
  async listAway(): Promise<string[]> {
    if (!this.lease.isHeld) return [];
    const since = this.writer.now() - this.awayMs;
    const rows = await this.reader.snapshot(({ sql }) => sql.all<{ id: string }>(AWAY, since));
    return rows.map(({ id }) => id);
  }

  /** Returns in a transaction whether a guest is connected to any server. */
  async isPresent(tx: WriteTransaction, id: string): Promise<boolean> {
    if (!this.isShared) return false;
    const present = 'SELECT 1 AS yes FROM dialect_guests WHERE user_id = $1 AND present_until > $2';
    return (await tx.sql.get(present, id, tx.now())) !== undefined;
  }
}
