import assert from 'node:assert/strict';

import type { CommandInput, CommandName, ReplyData } from '#src/protocol/commands.js';
import type { WireError } from '#src/protocol/errors.js';
import type { EventData, EventName } from '#src/protocol/events.js';
import type { Welcome } from '#src/protocol/welcome.js';

import type { Channel, ChannelListener, Closed } from './channel.js';

const WAIT_MS = 15_000;

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

/** A client that speaks frames and loses none; every wait has a limit and says what it waited for. */
export class TestClient implements ChannelListener {
  /** Every frame so far, in the order of arrival. */
  readonly frames: unknown[] = [];
  closedAs: Closed | undefined;
  private readonly waiters = new Set<Waiter>();
  private channel: Channel | undefined;
  private lastId = 0;
  /** Events that {@link event} has given already. */
  private readonly taken = new Set<unknown>();

  /** Connects by what `open` does with this client as its listener. */
  static async connect(open: (listener: ChannelListener) => Promise<Channel>): Promise<TestClient> {
    const client = new TestClient();
    client.channel = await open(client);
    return client;
  }

  /** Gives the welcome that came, as a reply or as an event. */
  get welcome(): Welcome {
    const found = (this.frames as { data?: Partial<Welcome> }[]).find(
      ({ data }) => data?.session !== undefined,
    );
    assert(found !== undefined, 'the welcome has come');
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

  /** Sends a frame as it is. */
  send(frame: unknown): void {
    assert(this.channel !== undefined, 'the channel is open');
    this.channel.send(frame);
  }

  /** Sends a command and waits for its reply, whatever it is. */
  async call(cmd: string, data: unknown = {}): Promise<Reply> {
    return this.reply(this.post(cmd, data));
  }

  /** Sends a command without waiting; gives the id that its reply will carry. */
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

  /** Sends a command that must succeed; gives the data of its reply. */
  async ok<C extends CommandName>(cmd: C, data: CommandInput<C>): Promise<ReplyData<C>> {
    const reply = await this.call(cmd, data);
    assert(reply.ok, `${cmd} was refused: ${reply.ok ? '' : JSON.stringify(reply.error)}`);
    return reply.data as ReplyData<C>;
  }

  /** Sends a command that must be refused with a code; gives the error. */
  async refused(cmd: string, data: unknown, code: string): Promise<WireError> {
    const reply = await this.call(cmd, data);
    assert(!reply.ok, `${cmd} succeeded, but ${code} was expected`);
    assert.equal(reply.error.code, code, JSON.stringify(reply.error));
    return reply.error;
  }

  /** Waits for the next event of a name (that fits), each given once; gives its data. */
  async event<E extends EventName>(
    name: E,
    fits: (data: EventData<E>) => boolean = () => true,
  ): Promise<EventData<E>> {
    const find = () =>
      this.events(name).find((frame) => !this.taken.has(frame) && fits(frame.data as EventData<E>));
    await this.until(() => find() !== undefined, `the event ${name}`);
    const found = find();
    this.taken.add(found);
    return found?.data as EventData<E>;
  }

  /** Gives the events of a name (or all) that have arrived. */
  events(name?: string): ReceivedEvent[] {
    return (this.frames as ReceivedEvent[]).filter(({ event }) =>
      name === undefined ? event !== undefined : event === name,
    );
  }

  /** Gives the events of a room's log that have arrived, in order. */
  logged(room: string): ReceivedEvent[] {
    return this.events().filter(({ data }) => data['room'] === room && data['seq'] !== undefined);
  }

  /** Waits until the server has answered all that was sent before; what comes by then has come. */
  async settled(): Promise<void> {
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

  /** Waits for a condition on what has arrived. */
  async until(test: () => boolean, what: string): Promise<void> {
    if (test()) return;
    let timer: NodeJS.Timeout | undefined;
    const waiter: Waiter = { test, resolve: () => undefined };
    try {
      await new Promise<void>((resolve, reject) => {
        (waiter as { resolve: () => void }).resolve = resolve;
        this.waiters.add(waiter);
        timer = setTimeout(() => reject(this.overdue(what)), WAIT_MS);
      });
    } finally {
      clearTimeout(timer);
      this.waiters.delete(waiter);
    }
  }

  private wake(): void {
    for (const waiter of this.waiters) if (waiter.test()) waiter.resolve();
  }

  private overdue(what: string): Error {
    const last = this.frames.slice(-5).map((frame) => JSON.stringify(frame).slice(0, 300));
    const state = this.closedAs === undefined ? 'open' : `closed ${JSON.stringify(this.closedAs)}`;
    return new Error(
      `${what} did not come within ${String(WAIT_MS)} ms; the connection is ${state}; ` +
        `the last frames were:\n${last.join('\n')}`,
    );
  }
}
