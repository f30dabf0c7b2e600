import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';

import pg from 'pg';

import { findBackends } from './backends.js';
import { DelayedLink } from './delayed-link.js';

const DROP_SCRIPT = fileURLToPath(new URL('drop-schema.js', import.meta.url));

/** PostgreSQL for the measured servers; undefined if the bench runs without it. */
export const postgresUrl = process.env.TEST_DATABASE_URL ?? process.env.DATABASE_URL;

/** A schema of a measured server, dropped afterwards, and the way to it. */
export class PostgresSchema {
  #name = `bench_${randomBytes(6).toString('hex')}`;
  /** @type {DelayedLink | null} */
  #link = null;
  #admin = new pg.Client(postgresUrl);
  #isOpen = false;

  /** @param {number} roundTripMs time that the link adds to each round trip; 0 for no link */
  constructor(roundTripMs) {
    this.roundTripMs = roundTripMs;
  }

  /** Connects, and returns the settings of the server. */
  async open() {
    await this.#admin.connect();
    const { host, port } = this.#admin;
    if (this.roundTripMs > 0) this.#link = await DelayedLink.start(host, port, this.roundTripMs);
    this.#isOpen = true;
    return { DATABASE_URL: this.#address(), PARLANCE_DATABASE_SCHEMA: this.#name };
  }

  /** Process of the link; undefined without one. */
  get linkPid() {
    return this.#link?.pid;
  }

  /**
   * Finds the processes of PostgreSQL that serve a server, and pins them beside the load generator.
   *
   * @param {number} serverPid
   */
  async pinBackends(serverPid) {
    return findBackends(this.#admin, this.linkPid ?? serverPid);
  }

  /** Drops the schema. The server has to be stopped before. */
  drop() {
    this.#link?.stop();
    if (!this.#isOpen) return;
    this.#isOpen = false;
    // Not over the connection: this also runs when the bench exits.
    execFileSync(process.execPath, [DROP_SCRIPT, String(postgresUrl), this.#name]);
    void this.#admin.end();
  }

  #address() {
    const address = new URL(String(postgresUrl));
    if (this.#link === null) return address.href;
    address.hostname = '127.0.0.1';
    address.port = String(this.#link.port);
    address.searchParams.delete('host');
    return address.href;
  }
}
