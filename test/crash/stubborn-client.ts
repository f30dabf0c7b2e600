import { setTimeout as delay } from 'node:timers/promises';

import type { ReplyData } from '#src/protocol/commands.js';

import type { Channel, ChannelListener } from '../support/channel.js';
import type { ReceivedEvent, Reply } from '../support/client.js';
import { Conditions } from '../support/conditions.js';
import type { Random } from '../support/random.js';
import type { RoomLedger } from './ledger.js';
import { Operations, type Operation } from './operations.js';
import { SeenLog } from './seen-log.js';
import { Disconnected, WireSession } from './wire-session.js';

const IN_FLIGHT = 6;
const BACK_OFF_MS = 20;
const PATIENCE_MS = 30_000;
const LAST_EVENT_MS = 10_000;
const MAX_ATTEMPTS = 200;

/** Connects a client to its server and collects the violations that it finds. */
export interface ClientHost {
  /** Resolves when the server is up. */
  up(): Promise<void>;
  /** Opens a connection for the client. */
  open(listener: ChannelListener): Promise<Channel>;
  violation(text: string): void;
}

/** A client that retries every write until it is answered, over any number of connections. */
export class StubbornClient {
  /** Number of acknowledged writes. */
  acknowledged = 0;
  /** How the client recovered its rooms. */
  readonly recoveries = { resumed: 0, behind: 0, pages: 0, byes: 0 };
  private readonly conditions = new Conditions();
  private readonly seen = new Map<string, SeenLog>();
  private readonly open: Operation[] = [];
  private ledgers: readonly RoomLedger[] = [];
  private operations: Operations | undefined;
  private token: string | undefined;
  private session: WireSession | null = null;
  private isChatting = false;
  private isStopping = false;
  private attempts = 0;
  private running: Promise<void> = Promise.resolve();

  constructor(
    readonly name: string,
    private readonly host: ClientHost,
    private readonly random: Random,
  ) {}

  /** Connects, and reconnects until {@link stop} is called. */
  start(ledgers: readonly RoomLedger[]): void {
    this.ledgers = ledgers;
    this.running = this.run();
  }

  /** Moves to other rooms. */
  async move(ledgers: readonly RoomLedger[]): Promise<void> {
    this.ledgers = ledgers;
    this.seen.clear();
    const before = this.session;
    before?.close();
    const hasReconnected = () => this.session !== null && this.session !== before;
    await this.until(hasReconnected, `${this.name} to be in its new rooms`);
  }

  /** Starts to write. */
  chat(): void {
    this.isChatting = true;
    this.writeMore();
  }

  /** Stops writing, and waits until every write is answered. */
  async settle(): Promise<void> {
    this.isChatting = false;
    const isSettled = () => this.session !== null && this.open.length === 0;
    await this.until(isSettled, `${this.name} to have all its answers`);
  }

  /** Waits until the client has seen a room up to a position; returns false on timeout. */
  async reach(room: string, seq: number): Promise<boolean> {
    const hasReached = () => (this.seen.get(room)?.position ?? 0) >= seq;
    return this.conditions.until(hasReached, 'the last event', LAST_EVENT_MS).then(
      () => true,
      () => false,
    );
  }

  /** Waits until `more` further writes are acknowledged. */
  async acknowledge(more: number): Promise<void> {
    const goal = this.acknowledged + more;
    await this.until(() => this.acknowledged >= goal, `${this.name} to be acknowledged`);
  }

  /** Returns the events of a room that the client has seen. */
  logOf(room: string): SeenLog {
    let log = this.seen.get(room);
    if (log === undefined) {
      log = new SeenLog(this.name, room);
      this.seen.set(room, log);
    }
    return log;
  }

  /** Disconnects and stops reconnecting. */
  async stop(): Promise<void> {
    this.isStopping = true;
    this.session?.close();
    await this.running;
  }

  private async run(): Promise<void> {
    while (!this.isStopping && this.attempts < MAX_ATTEMPTS) {
      try {
        await this.host.up();
        await this.connect();
      } catch (error) {
        if (++this.attempts === MAX_ATTEMPTS) this.host.violation(`${this.name}: ${String(error)}`);
        await delay(BACK_OFF_MS);
      }
    }
  }

  private async connect(): Promise<void> {
    const onEvent = (event: ReceivedEvent) => this.onEvent(event);
    const session = await WireSession.open((listener) => this.host.open(listener), onEvent);
    try {
      await this.sendHello(session);
      for (const { room } of this.ledgers) {
        if (this.logOf(room).position === null) await this.join(session, this.logOf(room));
      }
      this.attempts = 0;
      this.session = session;
      for (const operation of [...this.open]) this.submit(session, operation);
      this.writeMore();
      this.conditions.wake();
      await session.ended();
    } finally {
      this.session = null;
      session.close();
    }
  }

  private async sendHello(session: WireSession): Promise<void> {
    const known = [...this.seen.values()].filter(({ position }) => position !== null);
    const resume = Object.fromEntries(
      known.map(({ room, epoch, position }) => [room, { epoch, seq: position }]),
    );
    const identity = this.token === undefined ? { name: this.name } : { token: this.token };
    const reply = await session.call('hello', { protocol: 1, ...identity, resume });
    if (!reply.ok) throw new Error(`hello: ${reply.error.code}`);
    const { token, user, resumed } = reply.data as ReplyData<'hello'>;
    this.token = token;
    this.operations ??= new Operations(user.id, this.random);
    for (const log of known) {
      const outcome = resumed[log.room];
      if (outcome?.complete === true) this.recoveries.resumed++;
      else await this.catchUp(session, log, outcome?.reason);
    }
  }

  private async catchUp(session: WireSession, log: SeenLog, reason?: string): Promise<void> {
    if (reason !== 'behind') {
      this.host.violation(`${this.name} cannot resume ${log.room}: ${String(reason)}`);
      log.position = null;
      return;
    }
    this.recoveries.behind++;
    for (let hasMore = true; hasMore; this.recoveries.pages++) {
      const { room, epoch, position } = log;
      const onReply = (reply: Reply) => {
        hasMore = this.addPage(log, reply);
      };
      await session.call('room.sync', { room, epoch, after: position }, onReply);
    }
  }

  private addPage(log: SeenLog, reply: Reply): boolean {
    const page = reply.ok ? (reply.data as ReplyData<'room.sync'>) : null;
    if (page === null || !('complete' in page) || !page.complete) {
      this.host.violation(`${this.name} cannot sync ${log.room}: ${JSON.stringify(reply)}`);
      return false;
    }
    for (const event of page.events) log.add(event);
    return page.hasMore;
  }

  private async join(session: WireSession, log: SeenLog): Promise<void> {
    const onReply = (reply: Reply) => {
      if (!reply.ok) return;
      const { epoch, seq } = reply.data as ReplyData<'room.join'>;
      log.start(epoch, seq);
    };
    const reply = await session.call('room.join', { room: log.room, create: true }, onReply);
    if (!reply.ok) throw new Error(`room.join: ${reply.error.code}`);
  }

  private onEvent(received: ReceivedEvent): void {
    const { event, data } = received;
    if (event === 'bye') this.recoveries.byes++;
    const room = data['room'];
    if (typeof room !== 'string' || data['seq'] === undefined) return;
    this.seen.get(room)?.add(received);
    this.conditions.wake();
  }

  private writeMore(): void {
    const { session, operations } = this;
    if (!this.isChatting || session === null || operations === undefined) return;
    while (this.open.length < IN_FLIGHT) {
      const operation = operations.next(this.random.pick(this.ledgers));
      this.open.push(operation);
      this.submit(session, operation);
    }
  }

  private submit(session: WireSession, operation: Operation): void {
    session.call(operation.cmd, operation.data).then(
      (reply) => this.onReply(session, operation, reply),
      (error: unknown) => {
        if (error instanceof Disconnected) return;
        this.host.violation(`${this.name}: ${String(error)}`);
        session.close();
      },
    );
  }

  private onReply(session: WireSession, operation: Operation, reply: Reply): void {
    if (!reply.ok && reply.error.code === 'unavailable') {
      void delay(reply.error.retryAfterMs ?? BACK_OFF_MS).then(() => {
        if (this.session === session) this.submit(session, operation);
      });
      return;
    }
    this.open.splice(this.open.indexOf(operation), 1);
    if (reply.ok) {
      operation.done(reply.data as Parameters<Operation['done']>[0]);
      this.acknowledged++;
    } else if (reply.error.code === operation.refusal?.code) operation.refusal.noted();
    else this.host.violation(`${this.name}: ${operation.cmd} ${JSON.stringify(reply.error)}`);
    this.writeMore();
    this.conditions.wake();
  }

  private until(test: () => boolean, what: string): Promise<void> {
    return this.conditions.until(test, what, PATIENCE_MS);
  }
}
