import { createClient } from 'redis';

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

type Client = ReturnType<typeof makeClient>;

/** Frames over Redis pub/sub. */
export class RedisDriver implements BusDriver {
  readonly address: string;
  readonly secrets: readonly string[];
  readonly carriesEvents = true;

  constructor(
    private readonly url: URL,
    private readonly clusterId: string,
  ) {
    this.address = addressOf(url);
    this.secrets = secretsOf(url);
  }

  async open(events: SessionEvents): Promise<BusSession> {
    const client = makeClient(this.url);
    // Without a listener, an error of the connection would end the process.
    client.on('error', (error: Error) => events.lost(error));
    const connected = client.connect();
    try {
      await within(OPEN_MS, connected);
    } catch (error) {
      connected.catch(() => undefined);
      client.destroy();
      throw error;
    }
    return new RedisSession(client, `parlance.${this.clusterId}.`, events);
  }
}

function makeClient(url: URL) {
  return createClient({
    url: url.href,
    // RESP 3 allows to publish and to receive on one connection.
    RESP: 3,
    name: 'parlance',
    disableOfflineQueue: true,
    maintNotifications: 'disabled',
    // The owner reconnects.
    socket: { reconnectStrategy: false, connectTimeout: OPEN_MS },
  });
}

class RedisSession implements BusSession {
  readonly maxBytes = MAX_FRAME_BYTES;

  constructor(
    private readonly client: Client,
    private readonly prefix: string,
    private readonly events: SessionEvents,
  ) {}

  publish(subject: string, bytes: Uint8Array): boolean {
    this.client
      .publish(this.prefix + subject, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length))
      .catch((error: unknown) => this.events.lost(error as Error));
    return true;
  }

  async subscribe(subjects: readonly string[]): Promise<void> {
    const channels = subjects.map((subject) => this.prefix + subject);
    await this.client.subscribe(channels, this.receive, true);
  }

  unsubscribe(subject: string): void {
    this.client
      .unsubscribe(this.prefix + subject)
      .catch((error: unknown) => this.events.lost(error as Error));
  }

  async close(): Promise<void> {
    await within(CLOSE_MS, this.client.close()).catch((error: unknown) =>
      this.events.lost(error as Error),
    );
    this.abort();
  }

  abort(): void {
    this.client.destroy();
  }

  private readonly receive = (bytes: Buffer, channel: Buffer): void => {
    this.events.message(channel.toString().slice(this.prefix.length), bytes);
  };
}
