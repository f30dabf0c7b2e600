import { Logger } from '@nestjs/common';

import type { Encoding, Link, Prepared, Sink } from '../../chat/connections/transport.js';
import { checkCommand, encodeEvent, encodeReply } from '../../protocol/codec.js';
import { ProtocolError } from '../../protocol/errors.js';
import type { CommandId, EventFrame, Outcome, ReplyFrame } from '../../protocol/frames.js';

const logger = new Logger('InMemory');

/** Receives each frame, and finally the close code; errors that it throws are logged. */
export interface FrameListener {
  frame(frame: EventFrame | ReplyFrame): void;
  closed(code: number, reason: string): void;
}

interface PreparedFrames extends Prepared {
  readonly frames: readonly EventFrame[];
}

/** Events as frozen objects, shared by all receivers. */
const inMemoryEncoding: Encoding = {
  name: 'in-memory',

  prepare(event, data): PreparedFrames {
    const frame = JSON.parse(encodeEvent(event, data)) as EventFrame;
    return { frames: [freeze(frame)], bytes: 0 };
  },

  join(prepared): PreparedFrames {
    return {
      frames: (prepared as readonly PreparedFrames[]).flatMap((one) => one.frames),
      bytes: 0,
    };
  },
};

/** One in-memory connection. */
export class InMemoryLink implements Link {
  readonly encoding = inMemoryEncoding;
  readonly heartbeat = { intervalMs: 0, timeoutMs: 0 };
  readonly bufferedBytes = 0;
  readonly pausable = true;
  sink: Sink | undefined;
  onEnd: () => void = () => undefined;
  private outgoing: (EventFrame | ReplyFrame)[] | null = null;
  private waiting: (string | undefined)[] | null = null;
  private ended = false;

  constructor(
    readonly id: string,
    private readonly listener: FrameListener,
    private readonly frameBytes: number,
  ) {}

  push(prepared: Prepared): void {
    for (const frame of (prepared as PreparedFrames).frames) this.deliver(frame);
  }

  /** Buffers incoming frames: the peer cannot be slowed down. */
  pause(): void {
    this.waiting ??= [];
  }

  resume(): void {
    const texts = this.waiting ?? [];
    this.waiting = null;
    for (const [index, text] of texts.entries()) {
      if (this.isPaused()) {
        this.waiting = texts.slice(index);
        return;
      }
      this.receiveText(text);
    }
  }

  // The peer is in this process: no heartbeat is needed.
  pingByFrames(): boolean {
    return false;
  }

  close(code: number, reason: string): void {
    queueMicrotask(() => this.end(code, reason));
  }

  /** Receives a copy of a frame of the client. */
  receive(frame: unknown): void {
    if (this.ended || this.sink === undefined) return;
    const text = JSON.stringify(frame) as string | undefined;
    if (this.waiting === null) this.receiveText(text);
    else this.waiting.push(text);
  }

  private receiveText(text: string | undefined): void {
    if (this.ended || this.sink === undefined) return;
    try {
      if (text !== undefined && Buffer.byteLength(text) > this.frameBytes) {
        throw new ProtocolError('bad_frame', { message: 'The frame is too large.' });
      }
      const { id, cmd, data } = checkCommand(text === undefined ? undefined : JSON.parse(text));
      const reply = (outcome: Outcome) => {
        if (id !== undefined) this.reply(id, outcome);
      };
      this.sink.command({ name: cmd, data, ...(id === undefined ? {} : { reply }) });
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.refuse(error);
    }
  }

  /** Ends the connection, for either side. */
  end(code: number, reason: string): void {
    if (this.ended) return;
    this.flush();
    this.ended = true;
    this.onEnd();
    this.sink?.closed(code, reason);
    this.notify(() => this.listener.closed(code, reason));
  }

  private reply(id: CommandId, outcome: Outcome): void {
    this.deliver(freeze(JSON.parse(encodeReply(id, outcome)) as ReplyFrame));
  }

  private isPaused(): boolean {
    return this.waiting !== null;
  }

  private refuse(error: ProtocolError): void {
    const id = error.toWire().details?.['id'] as CommandId | undefined;
    const reply = (outcome: Outcome) => {
      if (id !== undefined) this.reply(id, outcome);
    };
    this.sink?.malformed(error.message, id === undefined ? undefined : reply);
  }

  /** Delivers in a microtask, so that a listener is never called during another call. */
  private deliver(frame: EventFrame | ReplyFrame): void {
    if (this.outgoing === null) {
      this.outgoing = [];
      queueMicrotask(() => this.flush());
    }
    this.outgoing.push(frame);
  }

  private flush(): void {
    const frames = this.outgoing ?? [];
    this.outgoing = null;
    for (const frame of frames) {
      if (!this.ended) this.notify(() => this.listener.frame(frame));
    }
  }

  /** Calls the listener; logs what it throws or rejects with. */
  private notify(call: () => unknown): void {
    const log = (err: unknown) => {
      logger.error({ msg: 'A listener failed', connection: this.id, err });
    };
    try {
      const done = call();
      if (isThenable(done)) done.then(undefined, log);
    } catch (error) {
      log(error);
    }
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value;
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const child of Object.values(value) as unknown[]) freeze(child);
  }
  return value;
}
