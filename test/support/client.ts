import assert from 'node:assert/strict';

import type { CommandInput, CommandName, ReplyData } from '#src/protocol/commands.js';
import type { WireError } from '#src/protocol/errors.js';
import type { EventData, EventName } from '#src/protocol/events.js';
import type { Welcome } from '#src/protocol/welcome.js';

import type { Channel, ChannelListener, Closed } from './channel.js';

// Longer than the maximum delay before a client reconnects, 20 seconds.
const WAIT_MS = 30_000;

/** A reply as it arrived. */
export type Reply =
  | { readonly re: unknown; readonly ok: true; readonly data: unknown }
  | { readonly re: unknown; readonly ok: false; readonly error: WireError };

/** An event as it arrived. */
export interface ReceivedEvent {
  readonly event: string;
  readonly data: Record<string, unknown>;
}

interface Waiter {
  readonly test: () => boolean;
  readonly resolve: () => void;
}

/** A client that records all frames; every wait has a time limit and names its condition. */
export class TestClient implements ChannelListener {
  /** Every frame so far, in the order of arrival. */
  readonly frames: unknown[] = [];
  closedAs: Closed | undefined;
  private readonly waiters = new Set<Waiter>();
  private channel: Channel | undefined;
  private lastId = 0;
  /** Events that {@link event} has returned. */
  private readonly consumed = new Set<unknown>();

  /** Connects: `open` opens a channel whose listener is the client. */
  static async connect(open: (listener: ChannelListener) => Promise<Channel>): Promise<TestClient> {
    const client = new TestClient();
    client.channel = await open(client);
    return client;
  }

  /** The welcome, which arrived as a reply or as an event. */
  get welcome(): Welcome {
    const found = (this.frames as { data?: Partial<Welcome> }[]).find(
      ({ data }) => data?.session !== undefined,
    );
    assert(found !== undefined, 'no welcome has arrived');
    return found.data as Welcome;
  }

  frame(frame: unknown): void {
    this.frames.push(frame);
    this.wake();
  }

  closed(closed: Closed): void {
    this.closedAs = closed;
    this.wake();
  }

  /** Sends a frame unchanged. */
  send(frame: unknown): void {
    assert(this.channel !== undefined, 'the channel is not open');
    this.channel.send(frame);
  }

  /** Sends a command and waits for its reply, a success or an error. */
  async call(cmd: string, data: unknown = {}): Promise<Reply> {
    return this.reply(this.post(cmd, data));
  }

  /** Sends a command without waiting; returns the id of its reply. */
  post(cmd: string, data: unknown = {}): string {
    const id = `c${String(++this.lastId)}`;
    this.send({ id, cmd, data });
    return id;
  }

  /** Waits for the reply to an id. */
  async reply(id: unknown): Promise<Reply> {
    const find = () => this.frames.find((frame) => (frame as Reply).re === id) as Reply | undefined;
    await this.until(() => find() !== undefined, `the reply to ${String(id)}`);
    return find() as Reply;
  }

  /** Sends a command that must succeed; returns the data of its reply. */
  async ok<C extends CommandName>(cmd: C, data: CommandInput<C>): Promise<ReplyData<C>> {
    const reply = await this.call(cmd, data);
    assert(reply.ok, `${cmd} was refused: ${reply.ok ? '' : JSON.stringify(reply.error)}`);
    return reply.data as ReplyData<C>;
  }

  /** Sends a command that must fail with an error code; returns the error. */
  async expectError(cmd: string, data: unknown, code: string): Promise<WireError> {
    const reply = await this.call(cmd, data);
    assert(!reply.ok, `${cmd} succeeded, but ${code} was expected`);
    assert.equal(reply.error.code, code, JSON.stringify(reply.error));
    return reply.error;
  }

  /**
   * Waits for the next event with a name whose data passes the test; returns the data.
   *
   * Returns each event only once.
   */
  async event<E extends EventName>(
    name: E,
    fits: (data: EventData<E>) => boolean = () => true,
  ): Promise<EventData<E>> {
    const find = () =>
      this.events(name).find(
        (frame) => !this.consumed.has(frame) && fits(frame.data as EventData<E>),
      );
    await this.until(() => find() !== undefined, `the event ${name}`);
    const found = find();
    this.consumed.add(found);
    return found?.data as EventData<E>;
  }

  /** Returns the events that have arrived, all or those with a name. */
  events(name?: string): ReceivedEvent[] {
    return (this.frames as ReceivedEvent[]).filter(({ event }) =>
      name === undefined ? event !== undefined : event === name,
    );
  }

  /** Returns the events of the log of a room that have arrived, in order. */
  logged(room: string): ReceivedEvent[] {
    return this.events().filter(({ data }) => data['room'] === room && data['seq'] !== undefined);
  }

  /** Waits until the server has answered all earlier frames; events that they caused have arrived. */
  async roundTrip(): Promise<void> {
    await this.ok('session.ping', {});
  }

  /** Waits for the end of the connection. */
  async end(): Promise<Closed> {
    await this.until(() => this.closedAs !== undefined, 'the end of the connection');
    return this.closedAs as Closed;
  }

  /** Ends the connection and waits for it. */
  async close(): Promise<void> {
    if (this.closedAs !== undefined) return;
    this.channel?.close();
    await this.end();
  }

  /** Waits for a condition; it is checked after each frame. */
  async until(test: () => boolean, what: string): Promise<void> {
    if (test()) return;
    let timer: NodeJS.Timeout | undefined;
    const waiter: Waiter = { test, resolve: () => undefined };
    try {
      await new Promise<void>((resolve, reject) => {
        (waiter as { resolve: () => void }).resolve = resolve;
        this.waiters.add(waiter);
        timer = setTimeout(() => reject(this.timeoutError(what)), WAIT_MS);
      });
    } finally {
      clearTimeout(timer);
      this.waiters.delete(waiter);
    }
  }

  private wake(): void {
    for (const waiter of this.waiters) if (waiter.test()) waiter.resolve();
  }

  private timeoutError(what: string): Error {
    const last = this.frames.slice(-5).map((frame) => JSON.stringify(frame).slice(0, 300));
    const state = this.closedAs === undefined ? 'open' : `closed ${JSON.stringify(this.closedAs)}`;
    return new Error(
      `${what} did not arrive within ${String(WAIT_MS)} ms; the connection is ${state}; ` +
        `the last frames were:\n${last.join('\n')}`,
    );
  }
}
