import { Socket } from 'node:net';

import pg from 'pg';

import {
  CLOSE_MS,
  OPEN_MS,
  type BusDriver,
  type BusSession,
  type SessionEvents,
} from './bus-driver.js';
import { addressOf, secretsOf } from './bus-url.js';
import { within } from './within.js';

/** PostgreSQL refuses a payload of 8,000 bytes. */
const MAX_PAYLOAD_BYTES = 7_999;
/** Space for a subject, and for the separators. */
const MAX_SUBJECT_BYTES = 64;
/** Maximum number of bytes of a frame, which base64 makes longer by a third. */
const MAX_BYTES = Math.floor(((MAX_PAYLOAD_BYTES - MAX_SUBJECT_BYTES) * 3) / 4) - 3;
/** Bytes that may wait for the statement before them; what exceeds them is dropped. */
const MAX_WAITING_BYTES = 1_024 * 1_024;
/** One statement for many payloads, so that PostgreSQL takes its lock for notifications once. */
const NOTIFY = {
  name: 'parlance_notify',
  text: 'SELECT pg_notify($1, payload) FROM unnest($2::text[]) AS payload',
};
/** A lost notification is repaired, so commits need not wait for the disk. */
const SESSION = `SET synchronous_commit TO off; SET tcp_keepalives_idle TO 30;
  SET tcp_keepalives_interval TO 10; SET tcp_keepalives_count TO 3;
  SELECT set_config(name, '0', false) FROM pg_settings
    WHERE name IN ('idle_session_timeout', 'statement_timeout')`;

/**
 * Frames over NOTIFY, on a connection of their own.
 *
 * All subjects share one channel, because PostgreSQL wakes every listener of the database for each
 * notification. Writing transactions never notify: that takes a lock until after the commit.
 */
export class PostgresDriver implements BusDriver {
  readonly address: string;
  readonly secrets: readonly string[];
  readonly carriesEvents = false;

  constructor(
    private readonly databaseUrl: string,
    private readonly clusterId: string,
  ) {
    const url = new URL(databaseUrl);
    this.address = addressOf(url);
    this.secrets = secretsOf(url);
  }

  async open(events: SessionEvents): Promise<BusSession> {
    const socket = new Socket();
    const client = new pg.Client({
      connectionString: this.databaseUrl,
      application_name: 'parlance-bus',
      connectionTimeoutMillis: OPEN_MS,
      keepAlive: true,
      stream: () => socket,
    });
    client.on('error', (error) => events.lost(error));
    client.once('end', () => events.lost(new Error('connection closed')));
    try {
      await within(OPEN_MS, client.connect());
      await within(OPEN_MS, client.query(SESSION));
    } catch (error) {
      socket.destroy();
      throw error;
    }
    return new PostgresSession(client, socket, `parlance_${this.clusterId}`, events);
  }
}

class PostgresSession implements BusSession {
  readonly maxBytes = MAX_BYTES;
  private readonly subjects = new Set<string>();
  private waiting: string[] = [];
  private waitingBytes = 0;
  private sending: Promise<void> | undefined;
  private isListening = false;

  constructor(
    private readonly client: pg.Client,
    private readonly socket: Socket,
    private readonly channel: string,
    private readonly events: SessionEvents,
  ) {
    client.on('notification', ({ payload = '' }) => this.receive(payload));
  }

  publish(subject: string, bytes: Uint8Array): boolean {
    const line = `${subject} ${Buffer.from(bytes).toString('base64')}`;
    if (this.waitingBytes + line.length > MAX_WAITING_BYTES) return false;
    this.waiting.push(line);
    this.waitingBytes += line.length;
    this.sending ??= this.sendAll().finally(() => (this.sending = undefined));
    return true;
  }

  async subscribe(subjects: readonly string[]): Promise<void> {
    for (const subject of subjects) this.subjects.add(subject);
    if (this.isListening) return;
    await this.client.query(`LISTEN "${this.channel}"`);
    this.isListening = true;
  }

  unsubscribe(subject: string): void {
    this.subjects.delete(subject);
  }

  async close(): Promise<void> {
    const ended = Promise.resolve(this.sending).then(() => this.client.end());
    await within(CLOSE_MS, ended).catch((error: unknown) => this.events.lost(error as Error));
    this.abort();
  }

  abort(): void {
    this.socket.destroy();
  }

  /** Sends what waits; what is published meanwhile shares the next statement. */
  private async sendAll(): Promise<void> {
    // Everything that this turn of the event loop publishes is in the first statement.
    await Promise.resolve();
    while (this.waiting.length > 0) {
      const payloads = packPayloads(this.waiting);
      this.waiting = [];
      this.waitingBytes = 0;
      try {
        await this.client.query({ ...NOTIFY, values: [this.channel, payloads] });
      } catch (error) {
        this.events.lost(error as Error);
        return;
      }
    }
  }

  private receive(payload: string): void {
    for (const line of payload.split('\n')) {
      const separator = line.indexOf(' ');
      const subject = line.slice(0, separator);
      if (!this.subjects.has(subject)) continue;
      this.events.message(subject, Buffer.from(line.slice(separator + 1), 'base64'));
    }
  }
}

/** Joins lines to as few payloads as possible, in their order. */
function packPayloads(lines: readonly string[]): string[] {
  const payloads: string[] = [];
  for (const line of lines) {
    const last = payloads.at(-1);
    if (last !== undefined && last.length + 1 + line.length <= MAX_PAYLOAD_BYTES) {
      payloads[payloads.length - 1] = `${last}\n${line}`;
    } else {
      payloads.push(line);
    }
  }
  return payloads;
}
