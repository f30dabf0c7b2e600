import type { Channel, ChannelListener, Closed } from '../support/channel.js';
import type { ReceivedEvent, Reply } from '../support/client.js';

const REPLY_MS = 60_000;

interface Pending {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
}

/** Thrown when the connection ends before the reply. */
export class Disconnected extends Error {
  override readonly name = 'Disconnected';
}

/** One connection of a client that reconnects. */
export class WireSession implements ChannelListener {
  /** How the connection ended; undefined while it is open. */
  closedAs: Closed | undefined;
  private channel: Channel | undefined;
  private lastId = 0;
  private readonly pending = new Map<unknown, Pending>();
  private onClosed: () => void = () => undefined;

  private constructor(private readonly onEvent: (event: ReceivedEvent) => void) {}

  /** Connects with `open`; calls `onEvent` with each event. */
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
    pending?.resolve(frame as Reply);
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
   * Calls `onReply` with the reply before any later frame is read.
   *
   * @throws Disconnected if the connection ends before the reply
   */
  call(
    cmd: string,
    data: object,
    onReply: (reply: Reply) => void = () => undefined,
  ): Promise<Reply> {
    return new Promise((resolve, reject) => {
      if (this.closedAs !== undefined) {
        reject(new Disconnected());
        return;
      }
      const id = `s${String(++this.lastId)}`;
      const timer = setTimeout(() => reject(new Error(`${cmd} was never answered`)), REPLY_MS);
      const succeed = (reply: Reply) => {
        clearTimeout(timer);
        onReply(reply);
        resolve(reply);
      };
      const fail = (error: Error) => {
        clearTimeout(timer);
        reject(error);
      };
      this.pending.set(id, { resolve: succeed, reject: fail });
      this.channel?.send({ id, cmd, data });
    });
  }

  /** Waits until the connection has ended. */
  async ended(): Promise<void> {
    if (this.closedAs !== undefined) return;
    await new Promise<void>((resolve) => {
      this.onClosed = resolve;
    });
  }

  /** Closes the connection. */
  close(): void {
    this.channel?.close();
  }
}
