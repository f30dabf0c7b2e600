import { connect as openSocket } from 'node:net';

import { connect, type NatsConnection, type Subscription } from '@nats-io/transport-node';

import {
  CLOSE_MS,
  MAX_FRAME_BYTES,
  OPEN_MS,
  type BusDriver,
  type BusSession,
  type SessionEvents,
} from './bus-driver.js';
import { addressOf, secretsOf } from './bus-url.js';
import { within } from './within.js';

const DEFAULT_PORT = 4_222;

/** Frames over NATS, without JetStream. */
export class NatsDriver implements BusDriver {
  readonly address: string;
  readonly secrets: readonly string[];
  readonly carriesEvents = true;

  /** Takes the URLs of the servers of one NATS cluster; all have the credentials of the first. */
  constructor(
    private readonly urls: readonly URL[],
    private readonly clusterId: string,
  ) {
    this.address = urls.map(addressOf).join(',');
    this.secrets = urls.flatMap(secretsOf);
  }

  async open(events: SessionEvents): Promise<BusSession> {
    const servers = await this.findAnswering();
    const connection = await connect({
      servers,
      ...this.credentials(),
      ...(this.urls.some(({ protocol }) => protocol === 'tls:') ? { tls: {} } : {}),
      name: 'parlance',
      // The owner reconnects. A reconnection by the client would wait for the last write, which
      // never ends on a network that swallows everything.
      reconnect: false,
      ignoreClusterUpdates: true,
      timeout: OPEN_MS,
    });
    return new NatsSession(connection, `parlance.${this.clusterId}.`, events);
  }

  private credentials(): object {
    const { username = '', password = '' } = this.urls[0] ?? {};
    const [user, pass] = [username, password].map(decodeURIComponent);
    if (user === '') return {};
    return pass === '' ? { token: user } : { user, pass };
  }

  /**
   * Returns the servers that greet a new connection.
   *
   * The client keeps the socket of a server that accepts a connection and then says nothing.
   */
  private async findAnswering(): Promise<string[]> {
    const greeted = await Promise.allSettled(this.urls.map(waitForGreeting));
    const servers = greeted.flatMap((result) =>
      result.status === 'fulfilled' ? [result.value] : [],
    );
    if (servers.length > 0) return servers;
    throw (greeted[0] as PromiseRejectedResult).reason;
  }
}

async function waitForGreeting({ hostname, port }: URL): Promise<string> {
  const host = hostname.replace(/^\[|\]$/g, '');
  const socket = openSocket({ host, port: Number(port) || DEFAULT_PORT });
  try {
    await within(
      OPEN_MS,
      new Promise((resolve, reject) => {
        socket.once('data', resolve);
        socket.once('error', reject);
        socket.once('close', () => reject(new Error('connection closed')));
      }),
    );
    return `${hostname}:${port === '' ? String(DEFAULT_PORT) : port}`;
  } finally {
    socket.on('error', () => undefined);
    socket.destroy();
  }
}

class NatsSession implements BusSession {
  readonly maxBytes: number;
  private readonly subscriptions = new Map<string, Subscription>();
  private failure: Error | undefined;

  constructor(
    private readonly connection: NatsConnection,
    private readonly prefix: string,
    private readonly events: SessionEvents,
  ) {
    this.maxBytes = Math.min(connection.info?.max_payload ?? MAX_FRAME_BYTES, MAX_FRAME_BYTES);
    void connection.closed().then((error) => this.fail(error ?? new Error('connection closed')));
    void this.watchErrors();
  }

  publish(subject: string, bytes: Uint8Array): boolean {
    this.connection.publish(this.prefix + subject, bytes);
    return true;
  }

  async subscribe(subjects: readonly string[]): Promise<void> {
    for (const subject of subjects) {
      const subscription = this.connection.subscribe(this.prefix + subject, {
        callback: (error, { data }) => {
          if (error === null) this.events.message(subject, data);
          else this.fail(error);
        },
      });
      this.subscriptions.set(subject, subscription);
    }
    await this.connection.flush();
    // A refused subscription is reported before the answer to the flush.
    if (this.failure !== undefined) throw this.failure;
  }

  unsubscribe(subject: string): void {
    this.subscriptions.get(subject)?.unsubscribe();
    this.subscriptions.delete(subject);
  }

  async close(): Promise<void> {
    await within(CLOSE_MS, this.connection.flush()).catch((error: unknown) =>
      this.fail(error as Error),
    );
    this.abort();
  }

  abort(): void {
    void this.connection.close();
  }

  /** Reports what the server refuses, such as a publication without permission. */
  private async watchErrors(): Promise<void> {
    for await (const status of this.connection.status()) {
      if (status.type === 'error') this.fail(status.error);
    }
  }

  private fail(error: Error): void {
    this.failure ??= error;
    this.events.lost(error);
  }
}
