import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';

import { Logger } from '@nestjs/common';

import { ProtocolError } from '../protocol/errors.js';
import { DATABASE_TIME } from './database-clock.js';
import { PeriodicJob } from './periodic-job.js';
import type { Sql } from './sql.js';
import type { WriteTransaction } from './write-job.js';
import type { Writer } from './writer.js';

/** Time between two renewals, and between two attempts to take a lease. */
const RENEW_MS = 2_000;
/** Time after which others may take a lease that was not renewed: two renewals may fail. */
const LEASE_MS = 6_000;

/** Takes the lease if it is free; locks its row only then, since its holder may be writing. */
const FIND_HELD = `SELECT token FROM leases WHERE name = $1 AND expires_at > ${DATABASE_TIME}`;
const TAKE = `INSERT INTO leases (name, holder, token, expires_at)
  VALUES ($1, $2, 1, ${DATABASE_TIME} + ${String(LEASE_MS)})
  ON CONFLICT (name) DO UPDATE
    SET holder = excluded.holder, token = leases.token + 1, expires_at = excluded.expires_at
    WHERE leases.expires_at <= ${DATABASE_TIME}
  RETURNING token`;
const RENEW = `UPDATE leases SET expires_at = ${DATABASE_TIME} + ${String(LEASE_MS)}
  WHERE name = $1 AND token = $2 RETURNING token`;
const GIVE_BACK = 'UPDATE leases SET expires_at = 0 WHERE name = $1 AND token = $2';
/** Keeps others from taking the lease until the commit. */
const FENCE = 'SELECT token FROM leases WHERE name = $1 FOR SHARE';

/**
 * Checks in a transaction that no other server has taken the lease since this check was made.
 *
 * @throws ProtocolError `unavailable`
 */
export type Fence = (tx: WriteTransaction) => Promise<void>;

/** Starts and stops what only the holder of a lease does. */
export interface LeaseListener {
  /** Called when the lease was taken; if it fails, the lease is given back. */
  taken(): Promise<void> | void;
  /** Called when the lease was lost or given back. */
  lost(): void;
}

interface TokenRow {
  readonly token: number;
}

/**
 * Lets one of the servers that share a database do what only one may do at a time.
 *
 * The token of the lease grows each time that it is taken. A server that stood still does not know
 * that it has lost the lease: so what it writes as the holder checks the token, by a {@link Fence}.
 * A server that shares its database with no other always holds the lease, without a statement.
 */
export class Lease {
  private readonly logger = new Logger(Lease.name);
  private readonly holder = `${hostname()} ${String(process.pid)} ${randomBytes(6).toString('hex')}`;
  private readonly listeners: LeaseListener[] = [];
  private readonly job: PeriodicJob;
  private token: number | null = null;
  /** When the lease ends, by the monotonic clock of this process. */
  private heldUntil = 0;
  private expiry: NodeJS.Timeout | undefined;
  private isReleased = false;

  constructor(
    private readonly name: string,
    private readonly writer: Writer,
    readonly isShared: boolean,
  ) {
    const run = (): Promise<void> => this.attempt();
    this.job = new PeriodicJob({ name: `renewal of the lease ${name}`, pauseMs: RENEW_MS, run });
  }

  /** Whether this server holds the lease, as far as it knows. */
  get isHeld(): boolean {
    if (!this.isShared) return true;
    return this.token !== null && performance.now() < this.heldUntil;
  }

  /** Registers a listener. */
  listen(listener: LeaseListener): void {
    this.listeners.push(listener);
  }

  /** Takes the lease if nobody holds it; then renews it, or tries again, until {@link release}. */
  async start(): Promise<void> {
    if (!this.isShared) {
      for (const listener of this.listeners) await listener.taken();
      return;
    }
    await this.attempt();
    this.job.start();
  }

  /** Renews the lease, or takes it if nobody holds it. */
  async attempt(): Promise<void> {
    if (this.isReleased) return;
    const { token: before } = this;
    // The database counts from a later time on.
    const until = performance.now() + LEASE_MS;
    try {
      const token = await this.writer.run([], ({ sql }) =>
        before === null ? this.take(sql) : this.renew(sql, before),
      );
      if (token === null) this.lose();
      else await this.keep(token, until);
    } catch (error) {
      // The writer has logged the failure; the lease expires unless a later renewal succeeds.
      if (!(error instanceof ProtocolError)) throw error;
    }
  }

  /** Returns the check for what is written as the holder; undefined if it is not needed. */
  fence(): Fence | undefined {
    if (!this.isShared) return undefined;
    const { token } = this;
    return async ({ sql }) => {
      const row = token === null ? undefined : await sql.get<TokenRow>(FENCE, this.name);
      if (row?.token === token) return;
      throw new ProtocolError('unavailable', { message: 'Another server does this now.' });
    };
  }

  /** Gives the lease back for good. */
  async release(): Promise<void> {
    if (this.isReleased) return;
    this.isReleased = true;
    await this.job.stop();
    await this.giveBack();
  }

  private async take(sql: Sql): Promise<number | null> {
    if ((await sql.get(FIND_HELD, this.name)) !== undefined) return null;
    return (await sql.get<TokenRow>(TAKE, this.name, this.holder))?.token ?? null;
  }

  private async renew(sql: Sql, token: number): Promise<number | null> {
    return (await sql.get<TokenRow>(RENEW, this.name, token))?.token ?? null;
  }

  private async keep(token: number, until: number): Promise<void> {
    const isNew = this.token !== token;
    this.token = token;
    this.heldUntil = until;
    clearTimeout(this.expiry);
    this.expiry = setTimeout(() => this.lose(), until - performance.now()).unref();
    if (!isNew) return;
    this.logger.log({ msg: 'Took the lease', lease: this.name, token });
    try {
      for (const listener of this.listeners) await listener.taken();
    } catch (error) {
      this.logger.warn({ msg: 'The lease is given back', lease: this.name, err: error });
      await this.giveBack();
    }
  }

  private lose(): void {
    clearTimeout(this.expiry);
    if (this.token === null) return;
    this.logger.warn({ msg: 'Lost the lease', lease: this.name, token: this.token });
    this.end();
  }

  private async giveBack(): Promise<void> {
    clearTimeout(this.expiry);
    const { token } = this;
    if (token === null) return;
    this.end();
    try {
      await this.writer.run([], ({ sql }) => sql.run(GIVE_BACK, this.name, token));
    } catch (error) {
      // Then it expires.
      if (!(error instanceof ProtocolError)) throw error;
    }
  }

  private end(): void {
    this.token = null;
    for (const listener of this.listeners) listener.lost();
  }
}
