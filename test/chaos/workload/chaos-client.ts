import { setTimeout as delay } from 'node:timers/promises';

import type { ReplyData } from '#src/protocol/commands.js';

import { Disconnected } from '../../crash/wire-session.js';
import type { Reply } from '../../support/client.js';
import { Conditions } from '../../support/conditions.js';
import type { Random } from '../../support/random.js';
import type { ClientRecord, Change, Outcome, SentMessage } from '../evidence.js';
import { Actions } from './actions.js';
import { ChaosConnection, type Address, type ClientState } from './chaos-connection.js';
import type { RunLog } from './run-log.js';

const IN_FLIGHT = 3;
const PAUSE_MS = { least: 2, most: 40 };
const BACK_OFF_MS = 30;
const SETTLE_MS = 30_000;
/** Share of the messages of unknown outcome that the client sends again. */
const RETRIED = 0.6;
/** Refusals that can happen to a correct client of a correct server. */
const EXPECTED = new Set(['not_member', 'not_found', 'message_deleted', 'too_long']);
const UNKNOWN = new Set(['unavailable', 'internal']);

/** A client that writes and reads at random, and records what the checker needs. */
export class ChaosClient {
  readonly sent: SentMessage[] = [];
  readonly changes: Change[] = [];
  readonly state: ClientState;
  private readonly conditions = new Conditions();
  private readonly actions: Actions;
  private readonly unsettled: SentMessage[] = [];
  private connection: ChaosConnection | null = null;
  private open = 0;
  private isActing = true;
  private isStopping = false;
  private running: Promise<void> = Promise.resolve();

  constructor(
    name: string,
    readonly rooms: readonly string[],
    private readonly address: () => Address,
    private readonly log: RunLog,
    private readonly random: Random,
  ) {
    this.state = { name, token: undefined, user: '', rooms: new Map(), observations: [] };
    this.actions = new Actions(this, random);
  }

  /** Number of acknowledged writes. */
  get acknowledged(): number {
    return [...this.sent, ...this.changes].filter(({ outcome }) => outcome.is === 'acknowledged')
      .length;
  }

  get record(): ClientRecord {
    const { name, user, observations } = this.state;
    return { name, user, observations, sent: this.sent, changes: this.changes };
  }

  /** Starts to act, and reconnects until {@link stop}. */
  start(): void {
    this.running = this.run();
  }

  /** Stops acting, and waits until every command has ended and the client is connected. */
  async settle(): Promise<void> {
    this.isActing = false;
    const isSettled = () =>
      this.connection?.isOpen === true && this.open === 0 && this.unsettled.length === 0;
    await this.conditions.until(isSettled, `${this.state.name} to settle`, SETTLE_MS);
  }

  /** Returns the position up to which the client has a room; 0 if it is not in the room. */
  lastSeq(room: string): number {
    return this.state.rooms.get(room)?.seq ?? 0;
  }

  /** Waits until the client has a room up to a position or has left it; returns whether. */
  async reach(room: string, seq: number, limitMs: number): Promise<boolean> {
    const hasReached = () => (this.state.rooms.get(room)?.seq ?? Infinity) >= seq;
    const wait = this.conditions.until(hasReached, 'the last event', limitMs);
    return wait.then(
      () => true,
      () => false,
    );
  }

  /** Disconnects for good. */
  async stop(): Promise<void> {
    this.isStopping = true;
    this.connection?.close();
    await this.running;
  }

  /** Breaks the connection; the client comes back. */
  disconnect(): void {
    this.connection?.close();
  }

  /** Joins, syncs or leaves a room. */
  async move(cmd: 'room.join' | 'room.sync' | 'room.leave', room: string): Promise<void> {
    await this.command(cmd, (connection) =>
      cmd === 'room.leave' ? connection.leave(room) : connection.join(room, cmd),
    );
  }

  /** Sends a command whose outcome does not matter. */
  async tell(cmd: string, data: object): Promise<void> {
    await this.command(cmd, (connection) => connection.call(cmd, data));
  }

  /** Sends a message, once or several times. */
  async send(message: SentMessage): Promise<void> {
    if (message.attempts.length === 0) this.sent.push(message);
    const { room, cid, text } = message;
    const reply = await this.command('message.send', (connection) => {
      message.attempts.push({ at: this.log.now(), connection: connection.id });
      return connection.call('message.send', { room, cid, text });
    });
    const before = message.outcome;
    const outcome = this.outcomeOf(reply);
    // A refusal tells nothing about an earlier attempt.
    const isFirst = message.attempts.length <= 1;
    message.outcome = outcome.is === 'refused' && !isFirst ? before : outcome;
    if (outcome.is === 'unknown' && this.random.chance(RETRIED)) this.retry(message);
    this.log.progress.wake();
    this.conditions.wake();
  }

  /** Edits, deletes or reacts. */
  async change(cmd: string, data: object, change: Change): Promise<void> {
    this.changes.push(change);
    change.outcome = this.outcomeOf(
      await this.command(cmd, (connection) => connection.call(cmd, data)),
    );
    this.log.progress.wake();
  }

  private retry(message: SentMessage): void {
    this.unsettled.push(message);
    const { connection } = this;
    if (connection?.isOpen !== true) return;
    void delay(BACK_OFF_MS).then(() => {
      if (this.connection === connection) this.resend();
    });
  }

  private resend(): void {
    for (const message of this.unsettled.splice(0)) void this.send(message);
  }

  private outcomeOf(reply: Reply | null): Outcome {
    if (reply === null) return { is: 'unknown' };
    const at = this.log.now();
    if (reply.ok) {
      const { message } = reply.data as Partial<ReplyData<'message.send'>>;
      return message === undefined
        ? { is: 'acknowledged', at }
        : { is: 'acknowledged', at, message: { id: message.id, seq: message.seq } };
    }
    const { code } = reply.error;
    return UNKNOWN.has(code) ? { is: 'unknown' } : { is: 'refused', at, code };
  }

  /** Runs a command on the current connection; null if it ends before the reply. */
  private async command(
    what: string,
    command: (connection: ChaosConnection) => Promise<Reply>,
  ): Promise<Reply | null> {
    const { connection } = this;
    if (connection === null) return null;
    this.open++;
    try {
      const reply = await command(connection);
      if (!reply.ok) this.complainAbout(what, reply.error.code);
      return reply;
    } catch (error) {
      if (!(error instanceof Disconnected)) this.complain(`${what}: ${String(error)}`);
      return null;
    } finally {
      this.open--;
      this.conditions.wake();
    }
  }

  private complainAbout(what: string, code: string): void {
    if (code === 'unavailable' || EXPECTED.has(code)) return;
    this.complain(`${what} was answered with ${code}`);
  }

  private complain(what: string): void {
    this.log.complaints.push(`${this.state.name}: ${what}`);
  }

  private async run(): Promise<void> {
    while (!this.isStopping) {
      try {
        await this.connectAndAct();
      } catch {
        // The node is down, or has just gone down.
        await delay(BACK_OFF_MS);
      }
    }
  }

  private async connectAndAct(): Promise<void> {
    const onProgress = () => this.conditions.wake();
    const id = this.log.nextConnection();
    const connection = await ChaosConnection.open(id, this.address(), this.state, onProgress);
    const ended = connection.ended();
    this.connection = connection;
    this.resend();
    this.conditions.wake();
    while (this.isActing && connection.isOpen) {
      if (this.open < IN_FLIGHT) void this.actions.next();
      await delay(this.random.between(PAUSE_MS.least, PAUSE_MS.most));
    }
    await ended;
    this.connection = null;
  }
}
