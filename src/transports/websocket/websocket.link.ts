import type { Duplex } from 'node:stream';

import type { WebSocket } from 'ws';

import type { Link, Prepared, Sink } from '../../chat/transport.js';
import { decodeCommand, encodeReply } from '../../protocol/codec.js';
import { FrameCloseCode } from '../../protocol/close-codes.js';
import { ProtocolError } from '../../protocol/errors.js';
import { CommandId } from '../../protocol/frames.js';
import type { Outcome } from '../../protocol/frames.js';
import { TurnWriter } from '../turn-writer.js';
import { textFrame } from '../websocket-frame.js';
import { webSocketEncoding, type PreparedFrames } from './websocket.encoding.js';

const JITTER = 0.1;

/** One raw WebSocket connection. */
export class WebSocketLink implements Link {
  readonly encoding = webSocketEncoding;
  readonly pausable = true;
  sink: Sink | undefined;
  /** The open links of the transport, which this one leaves when it ends. */
  links: Set<WebSocketLink> | undefined;
  private readonly writer: TurnWriter;
  /** When anything last came from the client, or when the last ping left. */
  private lastSign = performance.now();
  private pinged = false;
  private paused = false;
  private closing = false;
  /** Why this side closed; what a client gives as its reason is not for the log. */
  private reason = '';
  private byFrames = false;
  private readonly patienceMs: number;

  constructor(
    readonly id: string,
    private readonly socket: WebSocket,
    stream: Duplex,
    readonly heartbeat: { readonly intervalMs: number; readonly timeoutMs: number },
  ) {
    this.writer = new TurnWriter(stream);
    this.patienceMs = heartbeat.intervalMs * (1 - JITTER + Math.random() * 2 * JITTER);
  }

  get bufferedBytes(): number {
    return this.writer.bufferedBytes;
  }

  push(prepared: Prepared): void {
    if (!this.closing) this.writer.add((prepared as PreparedFrames).frames);
  }

  pause(): void {
    // A paused socket would not see the end of its own closing.
    if (this.paused || this.closing) return;
    this.paused = true;
    this.socket.pause();
  }

  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    this.lastSign = performance.now();
    this.socket.resume();
  }

  pingByFrames(): boolean {
    this.byFrames = true;
    return true;
  }

  close(code: number, reason: string): void {
    this.writer.flush();
    this.closing = true;
    this.reason = reason;
    // A paused socket would never see the close frame of its peer.
    this.socket.resume();
    this.socket.close(code, reason);
  }

  /** Notes that the WebSocket is closed. */
  ended(code: number): void {
    this.closing = true;
    this.links?.delete(this);
    this.sink?.closed(code, this.reason);
  }

  /** Takes in a message of the client. */
  receive(data: Buffer, isBinary: boolean): void {
    this.signOfLife();
    if (this.closing || this.sink === undefined) return;
    if (isBinary) {
      this.close(FrameCloseCode.unsupportedData, 'text frames only');
      return;
    }
    this.receiveText(this.sink, data.toString());
  }

  /** Notes that the client is there. */
  signOfLife(): void {
    this.lastSign = performance.now();
    this.pinged = false;
  }

  /** Pings a silent client, and gives up one that does not answer (P-2.12). */
  beat(now: number): void {
    if (this.paused || this.closing) return;
    const silence = now - this.lastSign;
    if (this.pinged && silence > this.heartbeat.timeoutMs) {
      this.sink?.silent();
    } else if (!this.pinged && silence > this.patienceMs) {
      this.pinged = true;
      this.lastSign = now;
      if (this.byFrames) this.push(this.encoding.prepare('session.ping', { at: Date.now() }));
      else this.socket.ping();
    }
  }

  private receiveText(sink: Sink, text: string): void {
    try {
      const { id, cmd, data } = decodeCommand(text);
      if (id === undefined) sink.command({ name: cmd, data });
      else sink.command({ name: cmd, data, reply: (outcome) => this.reply(id, outcome) });
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      const id = CommandId.safeParse(error.toWire().details?.['id']);
      sink.malformed(
        error.message,
        id.success ? (outcome) => this.reply(id.data, outcome) : undefined,
      );
    }
  }

  private reply(id: CommandId, outcome: Outcome): void {
    if (!this.closing) this.writer.add(textFrame(encodeReply(id, outcome)));
  }
}
