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
/** Numbers that one run each begins with; give one to repeat it. */
const SEEDS = (process.env['REPLAY_SEED'] ?? '1,2,3').split(',').map(Number);
const TRANSPORTS = Object.values(OPEN);
/** Why a step may fail: another one came first. */
const LOST_RACES = ['not_member', 'message_deleted', 'forbidden'];
const EMOJI = ['👍', '🎉', ':wave:'];
const SETTINGS = {
  PARLANCE_LIMIT_PAGE_BYTES: '8192',
  PARLANCE_LIMIT_HISTORY_PAGE: '20',
  PARLANCE_LIMIT_RESUME_EVENTS: '150',
};

/** A user who does one thing after another, without waiting for the replies. */
class Busybody {
  private readonly posted: string[] = [];

  constructor(
    readonly client: TestClient,
    private readonly random: Random,
  ) {}

  /** Does something, whatever it is. */
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

  /** Waits for the replies; a step may have failed if another came first. */
  async answered(): Promise<void> {
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

/** A member who was given a cut and then looks on. */
interface Onlooker {
  readonly client: TestClient;
  readonly cut: RoomCut;
}

/** Gives the events of the room that a client got, in their order. */
function eventsOf(client: TestClient): LogEvent[] {
  return client.logged(ROOM) as unknown as LogEvent[];
}

/** Applies what a client got; none may be missing in between. */
function applyAll(copy: RoomCopy, events: readonly LogEvent[]): RoomCopy {
  for (const event of events) {
    assert.notEqual(copy.apply(event), 'missing', `before ${String(event.data.seq)}`);
  }
  return copy;
}

/** A room in which much happens at once, on one server. */
class Turmoil {
  private readonly random: Random;
  private readonly clients: TestClient[] = [];

  constructor(
    private readonly server: TestServer,
    seed: number,
  ) {
    this.random = new Random(seed);
  }

  /** Connects over one transport after another. */
  async connect(hello: Readonly<Record<string, unknown>>): Promise<TestClient> {
    const open = TRANSPORTS[this.clients.length % TRANSPORTS.length] ?? OPEN.websocket;
    const client = await TestClient.connect((listener) => open(this.server, listener, {}));
    this.clients.push(client);
    await client.ok('hello', { protocol: 1, ...hello });
    return client;
  }

  /** Connects a user who joins the room, and gives the cut. */
  async look(name: string): Promise<Onlooker> {
    const client = await this.connect({ name });
    return { client, cut: await client.ok('room.join', { room: ROOM, create: true }) };
  }

  /** Makes the users who do something. */
  async busybodies(): Promise<Busybody[]> {
    const made: Busybody[] = [];
    while (made.length < USERS) {
      const { client } = await this.look(`user ${String(made.length)}`);
      made.push(new Busybody(client, this.random.fork()));
    }
    return made;
  }

  /** Has users do things, all at once. */
  async round(users: readonly Busybody[], number: number): Promise<void> {
    for (const step of range(1, STEPS_A_ROUND)) {
      this.random.pick(users).act(number * STEPS_A_ROUND + step);
    }
    await Promise.all(users.map((user) => user.answered()));
  }

  async close(): Promise<void> {
    await Promise.all(this.clients.map((client) => client.close()));
  }
}

/** Brings a copy up to date over another connection, by resume or else by room.sync. */
async function comeBack(turmoil: Turmoil, before: TestClient, copy: RoomCopy): Promise<TestClient> {
  await before.close();
  applyAll(copy, eventsOf(before));
  const resume = { [ROOM]: copy.position };
  const client = await turmoil.connect({ token: before.welcome.token, resume });
  const resumed = client.welcome.resumed[ROOM];
  if (resumed?.complete === true) return client;
  assert.equal(resumed?.reason, 'behind');
  applyAll(copy, await readLog(client, ROOM, copy.position));
  return client;
}

/** Gives the room as a client sees it that knows nothing yet. */
async function fresh(turmoil: Turmoil): Promise<{ cut: RoomCut; state: RoomState }> {
  const { client, cut } = await turmoil.look('fresh');
  const history = await readHistory(client, ROOM);
  const latest = { ...cut, messages: history.slice(-cut.messages.length) };
  const [ofCut, ofHistory] = [RoomCopy.ofCut(cut).state(), RoomCopy.ofCut(latest).state()];
  assert.deepEqual(ofCut, ofHistory, 'cut and history agree');
  return { cut, state: RoomCopy.ofCut(cut, history).state() };
}

/** Gives what an onlooker has made of the cut and the events until a position. */
async function stateOf({ client, cut }: Onlooker, head: number): Promise<RoomState> {
  const [first] = cut.messages;
  const older =
    first === undefined
      ? []
      : (await readHistory(client, ROOM)).filter(({ seq }) => seq < first.seq);
  const last = () => seqsOf(client.logged(ROOM)).at(-1) ?? cut.seq;
  await client.until(() => last() >= head, `the event ${String(head)}`);
  return applyAll(RoomCopy.ofCut(cut, older), eventsOf(client)).state();
}

async function run(server: TestServer, seed: number): Promise<void> {
  const turmoil = new Turmoil(server, seed);
  const onlookers: Onlooker[] = [];
  for (const name of ['one', 'two', 'three', 'four']) onlookers.push(await turmoil.look(name));
  const users = await turmoil.busybodies();
  const begun = await turmoil.look('back and forth');
  const copy = RoomCopy.ofCut(begun.cut);
  let { client: returning } = begun;

  for (const number of range(1, ROUNDS)) {
    const round = turmoil.round(users, number);
    returning = await comeBack(turmoil, returning, copy);
    if (number % 3 === 0) onlookers.push(await turmoil.look(`late ${String(number)}`));
    await round;
  }
  const { cut, state } = await fresh(turmoil);

  for (const onlooker of onlookers) assert.deepEqual(await stateOf(onlooker, cut.seq), state);
  await returning.until(() => seqsOf(returning.logged(ROOM)).at(-1) === cut.seq, 'the last event');
  assert.deepEqual(applyAll(copy, eventsOf(returning)).state(), state, 'by resume');
  const replayed = await readLog(returning, ROOM, { epoch: cut.epoch, seq: 0 });
  assert.deepEqual(seqsOf(replayed), range(1, cut.seq));
  assert.deepEqual(
    applyAll(RoomCopy.ofNothing(cut.epoch), replayed).state(),
    state,
    'from nothing',
  );
  await turmoil.close();
}

test.each(SEEDS)(
  'P-5.9, P-5.10 a cut and what followed equal a fresh cut (seed %i)',
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
