import type { Channel, ChannelListener, Closed } from '../support/channel.js';
import type { ReceivedEvent, Reply } from '../support/client.js';

const REPLY_MS = 20_000;

interface Pending {
  readonly taken: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
}

/** The connection ended before the answer. */
export class Disconnected extends Error {
  override readonly name = 'Disconnected';
}

/** One connection of a client that may have many, one after another. */
export class WireSession implements ChannelListener {
  /** How the connection ended; undefined while it is open. */
  closedAs: Closed | undefined;
  private channel: Channel | undefined;
  private lastId = 0;
  private readonly pending = new Map<unknown, Pending>();
  private onClosed: () => void = () => undefined;

  private constructor(private readonly onEvent: (event: ReceivedEvent) => void) {}

  /** Connects by what `open` does; `onEvent` is called with each event. */
  static async open(
    open: (listener: ChannelListener) => Promise<Channel>,
    onEvent: (event: ReceivedEvent) => void,
  ): Promise<WireSession> {
    const session = new WireSession(onEvent);
    session.channel = await open(session);
    return session;
  }

  frame(frame: unknown): void {
    const { re } = frame as Reply;
    if (re === undefined) {
      this.onEvent(frame as ReceivedEvent);
      return;
    }
    const pending = this.pending.get(re);
    this.pending.delete(re);
    pending?.taken(frame as Reply);
  }

  closed(how: Closed): void {
    this.closedAs ??= how;
    for (const { reject } of this.pending.values()) reject(new Disconnected());
    this.pending.clear();
    this.onClosed();
  }

  /**
   * Sends a command and waits for its reply.
   *
   * `take` is called with the reply before any later frame is read.
   *
   * @throws Disconnected when the connection ends before
   */
  call(cmd: string, data: object, take: (reply: Reply) => void = () => undefined): Promise<Reply> {
    return new Promise((resolve, reject) => {
      if (this.closedAs !== undefined) {
        reject(new Disconnected());
        return;
      }
      const id = `s${String(++this.lastId)}`;
      const timer = setTimeout(() => reject(new Error(`${cmd} was never answered`)), REPLY_MS);
      const taken = (reply: Reply) => {
        clearTimeout(timer);
        take(reply);
        resolve(reply);
      };
      const failed = (error: Error) => {
        clearTimeout(timer);
        reject(error);
      };
      this.pending.set(id, { taken, reject: failed });
      this.channel?.send({ id, cmd, data });
    });
  }

  /** Waits for the end of the connection. */
  async ended(): Promise<void> {
    if (this.closedAs !== undefined) return;
    await new Promise<void>((resolve) => {
      this.onClosed = resolve;
    });
  }

  /** Ends the connection. */
  close(): void {
    this.channel?.close();
  }
}
