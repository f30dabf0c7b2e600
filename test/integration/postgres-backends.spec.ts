import type { EventData } from '#src/protocol/events.js';

import { checkRooms } from '../crash/check-rooms.js';
import { RoomLedger } from '../crash/ledger.js';
import { RoomReader } from '../crash/room-reader.js';
import { StubbornClient } from '../crash/stubborn-client.js';
import type { ChannelListener } from '../support/channel.js';
import { eventually } from '../support/eventually.js';
import { PostgresAdmin } from '../support/postgres-admin.js';
import { Random, seedFrom } from '../support/random.js';
import { startServer, type TestServer } from '../support/server.js';
import {
  connectClient,
  openWire,
  WIRE_TRANSPORTS,
  type WireTransport,
} from '../support/wire-transports.js';

const ROOM = 'backends';
const TERMINATIONS = 6;
const ROUNDS = 20;
const TEST_MS = 120_000;

const isPostgres = process.env['TEST_DATABASE'] === 'postgres';

/** Clients on all transports that retry writes until they are answered, and their problems. */
class Crowd {
  readonly problems: string[] = [];
  private readonly ledgers = [new RoomLedger(ROOM)];
  private readonly clients: readonly StubbornClient[];
  private isLeaving = false;

  constructor(
    private readonly port: number,
    random: Random,
  ) {
    this.clients = [...WIRE_TRANSPORTS, ...WIRE_TRANSPORTS].map((transport, index) => {
      const host = {
        up: () => Promise.resolve(),
        open: (listener: ChannelListener) => openWire(transport, port, this.watch(listener)),
        violation: (text: string) => this.problems.push(text),
      };
      return new StubbornClient(`client-${String(index)}`, host, random.fork());
    });
  }

  start(): void {
    for (const client of this.clients) {
      client.start(this.ledgers);
      client.chat();
    }
  }

  /** Waits until every client has written more. */
  async writeMore(): Promise<void> {
    await Promise.all(this.clients.map((client) => client.acknowledge(3)));
  }

  /** Waits for all answers, compares the records of the clients with the storage, and disconnects. */
  async end(): Promise<void> {
    await Promise.all(this.clients.map((client) => client.settle()));
    const options = { mayOvertake: true };
    this.problems.push(
      ...(await checkRooms(new RoomReader(), this.port, this.ledgers, this.clients, options)),
    );
    this.isLeaving = true;
    await Promise.all(this.clients.map((client) => client.stop()));
  }

  /** Forwards frames, and records connections that end. */
  private watch(listener: ChannelListener): ChannelListener {
    let bye: EventData<'bye'> | undefined;
    return {
      frame: (frame) => {
        const { event, data } = frame as { event?: string; data: EventData<'bye'> };
        if (event === 'bye') bye = data;
        listener.frame(frame);
      },
      closed: (how) => {
        if (!this.isLeaving) this.problems.push(JSON.stringify({ closed: how, bye }));
        listener.closed(how);
      },
    };
  }
}

(isPostgres ? describe : describe.skip)('PostgreSQL that ends connections', () => {
  let server: TestServer;
  let admin: PostgresAdmin;

  beforeEach(async () => {
    server = await startServer();
    admin = await PostgresAdmin.connect(server);
  });

  afterEach(async () => {
    await admin.end();
    await server.dispose();
  });

  test(
    `of the writer, ${String(TERMINATIONS)} times: every write is stored once, in order, and all connections stay open`,
    async () => {
      const seed = seedFrom('BACKENDS_SEED');
      const crowd = new Crowd(server.port, new Random(seed));
      crowd.start();
      for (let nth = 0; nth < TERMINATIONS; nth++) {
        await crowd.writeMore();
        await eventually(() => admin.terminateWriter(), 'a writer to end');
      }
      await crowd.end();
      expect({ seed, problems: crowd.problems }).toEqual({ seed, problems: [] });
      expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
    },
    TEST_MS,
  );

  test('of the readers: reads are answered meanwhile, and succeed afterwards', async () => {
    const clients = await Promise.all(
      WIRE_TRANSPORTS.map((transport: WireTransport) => connectClient(transport, server.port, {})),
    );
    for (const client of clients) {
      await client.ok('room.join', { room: ROOM, create: true });
      await client.ok('message.send', { room: ROOM, text: 'read me' });
    }
    const read = () =>
      clients.flatMap((client) => [
        client.call('message.history', { room: ROOM }),
        client.call('room.members', { room: ROOM }),
        client.call('user.get', { user: 'nobody' }),
      ]);
    for (let round = 0; round < ROUNDS; round++) {
      const before = read();
      await admin.terminateReaders();
      const codes = new Set<string>();
      for (const reply of await Promise.all([...before, ...read()])) {
        if (!reply.ok) codes.add(reply.error.code);
      }
      codes.delete('unavailable');
      expect([...codes]).toEqual(['not_found']);
      const succeeded = async () => (await Promise.all(read())).filter(({ ok }) => ok).length;
      await eventually(async () => (await succeeded()) === 2 * clients.length, 'to read again');
    }
    for (const client of clients) {
      expect(client.events('bye')).toEqual([]);
      await client.close();
    }
  });
});
