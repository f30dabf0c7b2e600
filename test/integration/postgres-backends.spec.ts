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
  greet,
  openWire,
  WIRE_TRANSPORTS,
  type WireTransport,
} from '../support/wire-transports.js';

const ROOM = 'backends';
const TERMINATIONS = 6;
const ROUNDS = 20;
const TEST_MS = 120_000;
/** Codes with which a client comes back: at once, or when there is a database to greet it with. */
const RESUMABLE = [4204, 4103];

const isPostgres = process.env['TEST_DATABASE'] === 'postgres';

/** Clients that write until they are answered, each on its transport, and what went wrong. */
class Crowd {
  readonly problems: string[] = [];
  byes = 0;
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

  /** Waits until everybody has written something more. */
  async writesOn(): Promise<void> {
    await Promise.all(this.clients.map((client) => client.acknowledge(3)));
  }

  /** Has everybody leave once all is answered; compares what they know with what is stored. */
  async end(): Promise<void> {
    await Promise.all(this.clients.map((client) => client.settle()));
    const may = { mayOvertake: true };
    this.problems.push(
      ...(await checkRooms(new RoomReader(), this.port, this.ledgers, this.clients, may)),
    );
    this.isLeaving = true;
    await Promise.all(this.clients.map((client) => client.stop()));
  }

  /** Passes on what comes, and sees to it that no connection ends without a word. */
  private watch(listener: ChannelListener): ChannelListener {
    let bye: EventData<'bye'> | undefined;
    return {
      frame: (frame) => {
        const { event, data } = frame as { event?: string; data: EventData<'bye'> };
        if (event === 'bye') bye = data;
        listener.frame(frame);
      },
      closed: (how) => {
        const isResumable = bye?.reconnect === true && RESUMABLE.includes(bye.code);
        if (isResumable) this.byes++;
        else if (!this.isLeaving) this.problems.push(JSON.stringify({ closed: how, bye }));
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
    admin = await PostgresAdmin.beside(server);
  });

  afterEach(async () => {
    await admin.end();
    await server.dispose();
  });

  test(
    `that writes, ${String(TERMINATIONS)} times: all is stored once, in order, and everybody resumes`,
    async () => {
      const seed = seedFrom('BACKENDS_SEED');
      const crowd = new Crowd(server.port, new Random(seed));
      crowd.start();
      for (let nth = 0; nth < TERMINATIONS; nth++) {
        await crowd.writesOn();
        await eventually(() => admin.terminateWriter(), 'a writer to end');
      }
      await crowd.end();
      expect({ seed, problems: crowd.problems }).toEqual({ seed, problems: [] });
      expect(crowd.byes).toBeGreaterThan(0);
      expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
    },
    TEST_MS,
  );

  test('that read: what is asked meanwhile is answered, and then given', async () => {
    const clients = await Promise.all(
      WIRE_TRANSPORTS.map((transport: WireTransport) => greet(transport, server.port, {})),
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
