import type { CommandInput, CommandName, ReplyData } from '../../protocol/commands.js';
import type { WireError } from '../../protocol/errors.js';
import { DEFAULT_LIMITS, type AnnouncedLimits } from '../../protocol/limits.js';
import type { EventFrame, ReplyFrame } from '../../protocol/frames.js';
import type { Welcome } from '../../protocol/welcome.js';
import type {
  InMemoryConnection,
  InMemoryTransport,
} from '../../transports/in-memory/in-memory.transport.js';

type Reply = { ok: true; data: unknown } | { ok: false; error: WireError };

/** A guest who is connected in memory. */
export class HarnessPerson {
  private connection: InMemoryConnection | undefined;
  private readonly waiting = new Map<string, (reply: Reply) => void>();
  private token: string | undefined;
  private lastId = 0;
  private announced: AnnouncedLimits = DEFAULT_LIMITS;

  constructor(readonly name: string) {}

  /** The limits that the welcome of the server announced. */
  get limits(): AnnouncedLimits {
    return this.announced;
  }

  /** Connects; reconnects as the same guest. */
  async connect(transport: InMemoryTransport): Promise<void> {
    this.connection = transport.connect({
      frame: (frame) => this.received(frame),
      closed: (_code, reason) => this.closed(reason),
    });
    const hello = this.token === undefined ? { name: this.name } : { token: this.token };
    const welcome: Welcome = await this.call('hello', { protocol: 1, ...hello });
    this.token = welcome.token ?? this.token;
    this.announced = welcome.limits;
  }

  /**
   * Sends a command of the protocol; returns the data of its reply.
   *
   * @throws Error if the server refuses it
   */
  async call<C extends CommandName>(cmd: C, data: CommandInput<C>): Promise<ReplyData<C>> {
    const id = String(++this.lastId);
    const reply = await new Promise<Reply>((resolve) => {
      this.waiting.set(id, resolve);
      this.connection?.send({ id, cmd, data });
    });
    if (reply.ok) return reply.data as ReplyData<C>;
    const { code, message } = reply.error;
    throw new Error(`${cmd} of ${this.name} was refused with ${code}: ${message}`);
  }

  private received(frame: EventFrame | ReplyFrame): void {
    if (!('re' in frame)) return;
    const id = String(frame.re);
    this.waiting.get(id)?.(frame);
    this.waiting.delete(id);
  }

  private closed(message: string): void {
    const error: WireError = { code: 'unavailable', message, retryable: true };
    for (const settle of this.waiting.values()) settle({ ok: false, error });
    this.waiting.clear();
  }
}
