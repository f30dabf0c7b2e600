import assert from 'node:assert/strict';

import type { LogEvent } from '#src/protocol/events.js';
import type { RoomCut } from '#src/protocol/models.js';

import { TestClient } from '../support/client.js';
import { Random } from '../support/random.js';
import { RoomCopy, type RoomState } from '../support/room-copy.js';
import { startServer, type TestServer } from '../support/server.js';
import { range, readHistory, readLog, seqsOf } from './reading.js';
import { OPEN } from './transports.js';

const ROOM = 'replay';
const USERS = 5;
const ROUNDS = 12;
const STEPS_A_ROUND = 40;
/** Seeds, one per run; set REPLAY_SEED to repeat a run. */
const SEEDS = (process.env['REPLAY_SEED'] ?? '1,2,3').split(',').map(Number);
const TRANSPORTS = Object.values(OPEN);
/** Errors of a step that another step overtook. */
const LOST_RACES = ['not_member', 'message_deleted', 'forbidden'];
const EMOJI = ['👍', '🎉', ':wave:'];
const SETTINGS = {
  PARLANCE_LIMIT_PAGE_BYTES: '8192',
  PARLANCE_LIMIT_HISTORY_PAGE: '20',
  PARLANCE_LIMIT_RESUME_EVENTS: '150',
};

/** A user who sends random commands without waiting for the replies. */
class RandomUser {
  private readonly posted: string[] = [];

  constructor(
    readonly client: TestClient,
    private readonly random: Random,
  ) {}

  /** Sends a random command. */
  act(step: number): void {
    const text = `step ${String(step)}`;
    const dice = this.random.between(1, 60);
    if (dice <= 22) this.post('message.send', { room: ROOM, text, cid: text });
    else if (dice === 23) this.post('user.update', { name: `name ${String(step)}` });
    else if (dice === 24) this.post('room.update', { room: ROOM, title: text });
    else if (dice === 25) this.post('room.leave', { room: ROOM });
    else if (dice <= 28) this.post('room.join', { room: ROOM });
    else this.actOnMessage(text);
  }

  /** Waits for the replies; a step may fail only if another one overtook it. */
  async untilAnswered(): Promise<void> {
    for (const id of this.posted.splice(0)) {
      const reply = await this.client.reply(id);
      if (!reply.ok) assert(LOST_RACES.includes(reply.error.code), JSON.stringify(reply.error));
    }
  }

  private actOnMessage(text: string): void {
    const seen = this.client.events('message.created').slice(-10);
    if (seen.length === 0) return;
    const { id: message } = this.random.pick(seen).data['message'] as { id: string };
    const [emoji, dice] = [this.random.pick(EMOJI), this.random.between(1, 16)];
    if (dice <= 2) this.post('message.edit', { room: ROOM, message, text });
    else if (dice === 3) this.post('message.delete', { room: ROOM, message });
    else if (dice <= 9) this.post('message.unreact', { room: ROOM, message, emoji });
    else this.post('message.react', { room: ROOM, message, emoji });
  }

  private post(cmd: string, data: object): void {
    this.posted.push(this.client.post(cmd, data));
  }
}

/** A member who got a cut and then only receives events. */
interface Observer {
  readonly client: TestClient;
  readonly cut: RoomCut;
}

/** Returns the received events of the room in order of arrival. */
function eventsOf(client: TestClient): LogEvent[] {
  return client.logged(ROOM) as unknown as LogEvent[];
}

/** Applies received events to a copy of the room; throws if one is missing. */
function applyAll(copy: RoomCopy, events: readonly LogEvent[]): RoomCopy {
  for (const event of events) {
    assert.notEqual(copy.apply(event), 'missing', `before ${String(event.data.seq)}`);
  }
  return copy;
}

/** A room on one server in which many users act at the same time. */
class BusyRoom {
  private readonly random: Random;
  private readonly clients: TestClient[] = [];

  constructor(
    private readonly server: TestServer,
    seed: number,
  ) {
    this.random = new Random(seed);
  }

  /** Connects over each transport in turn. */
  async connect(hello: Readonly<Record<string, unknown>>): Promise<TestClient> {
    const open = TRANSPORTS[this.clients.length % TRANSPORTS.length] ?? OPEN.websocket;
    const client = await TestClient.connect((listener) => open(this.server, listener, {}));
    this.clients.push(client);
    await client.ok('hello', { protocol: 1, ...hello });
    return client;
  }

  /** Connects a user who joins the room; returns the client and its cut. */
  async observe(name: string): Promise<Observer> {
    const client = await this.connect({ name });
    return { client, cut: await client.ok('room.join', { room: ROOM, create: true }) };
  }

  /** Connects the users who act. */
  async connectUsers(): Promise<RandomUser[]> {
    const users: RandomUser[] = [];
    while (users.length < USERS) {
      const { client } = await this.observe(`user ${String(users.length)}`);
      users.push(new RandomUser(client, this.random.fork()));
    }
    return users;
  }

  /** Runs a round of random commands, all in flight at the same time. */
  async round(users: readonly RandomUser[], number: number): Promise<void> {
    for (const step of range(1, STEPS_A_ROUND)) {
      this.random.pick(users).act(number * STEPS_A_ROUND + step);
    }
    await Promise.all(users.map((user) => user.untilAnswered()));
  }

  async close(): Promise<void> {
    await Promise.all(this.clients.map((client) => client.close()));
  }
}

/** Updates a copy over another connection, by resume or else by room.sync. */
async function reconnect(
  busyRoom: BusyRoom,
  before: TestClient,
  copy: RoomCopy,
): Promise<TestClient> {
  await before.close();
  applyAll(copy, eventsOf(before));
  const resume = { [ROOM]: copy.position };
  const client = await busyRoom.connect({ token: before.welcome.token, resume });
  const resumed = client.welcome.resumed[ROOM];
  if (resumed?.complete === true) return client;
  assert.equal(resumed?.reason, 'behind');
  applyAll(copy, await readLog(client, ROOM, copy.position));
  return client;
}

/** Returns the state of the room as a new client sees it. */
async function readFresh(busyRoom: BusyRoom): Promise<{ cut: RoomCut; state: RoomState }> {
  const { client, cut } = await busyRoom.observe('fresh');
  const history = await readHistory(client, ROOM);
  const latest = { ...cut, messages: history.slice(-cut.messages.length) };
  const [fromCut, fromHistory] = [RoomCopy.fromCut(cut).state(), RoomCopy.fromCut(latest).state()];
  assert.deepEqual(fromCut, fromHistory, 'the cut and the history agree');
  return { cut, state: RoomCopy.fromCut(cut, history).state() };
}

/** Returns the state that an observer derives from its cut and the events up to a position. */
async function stateOf({ client, cut }: Observer, head: number): Promise<RoomState> {
  const [first] = cut.messages;
  const older =
    first === undefined
      ? []
      : (await readHistory(client, ROOM)).filter(({ seq }) => seq < first.seq);
  const last = () => seqsOf(client.logged(ROOM)).at(-1) ?? cut.seq;
  await client.until(() => last() >= head, `the event ${String(head)}`);
  return applyAll(RoomCopy.fromCut(cut, older), eventsOf(client)).state();
}

async function run(server: TestServer, seed: number): Promise<void> {
  const busyRoom = new BusyRoom(server, seed);
  const observers: Observer[] = [];
  for (const name of ['one', 'two', 'three', 'four']) observers.push(await busyRoom.observe(name));
  const users = await busyRoom.connectUsers();
  const started = await busyRoom.observe('back and forth');
  const copy = RoomCopy.fromCut(started.cut);
  let { client: returning } = started;

  for (const number of range(1, ROUNDS)) {
    const round = busyRoom.round(users, number);
    returning = await reconnect(busyRoom, returning, copy);
    if (number % 3 === 0) observers.push(await busyRoom.observe(`late ${String(number)}`));
    await round;
  }
  const { cut, state } = await readFresh(busyRoom);

  for (const observer of observers) assert.deepEqual(await stateOf(observer, cut.seq), state);
  await returning.until(() => seqsOf(returning.logged(ROOM)).at(-1) === cut.seq, 'the last event');
  assert.deepEqual(applyAll(copy, eventsOf(returning)).state(), state, 'by resume');
  const replayed = await readLog(returning, ROOM, { epoch: cut.epoch, seq: 0 });
  assert.deepEqual(seqsOf(replayed), range(1, cut.seq));
  assert.deepEqual(applyAll(RoomCopy.empty(cut.epoch), replayed).state(), state, 'from nothing');
  await busyRoom.close();
}

test.each(SEEDS)(
  'P-5.9, P-5.10 a cut plus later events equals a new cut (seed %i)',
  async (seed) => {
    const server = await startServer(SETTINGS);
    try {
      await run(server, seed);
    } finally {
      await server.dispose();
    }
  },
  60_000,
);
