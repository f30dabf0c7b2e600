import type { Duplex } from 'node:stream';

import { WebSocket } from 'ws';

import type { Link, Prepared, Sink } from '../../chat/connections/transport.js';
import { decodeCommand, encodeReply } from '../../protocol/codec.js';
import { FrameCloseCode } from '../../protocol/close-codes.js';
import { ProtocolError } from '../../protocol/errors.js';
import { CommandId } from '../../protocol/frames.js';
import type { Outcome } from '../../protocol/frames.js';
import { TurnWriter } from '../turn-writer.js';
import { textFrame } from '../websocket-frame.js';
import { webSocketEncoding, type PreparedFrames } from './websocket.encoding.js';

/** Earliest and latest time of a ping, as fractions of the interval that it must fall into. */
const EARLIEST = 0.75;
const LATEST = 0.85;

/** The stream of a WebSocket, which counts its bytes. */
export type CountingStream = Duplex & { readonly bytesRead: number; readonly bytesWritten: number };

/** A WebSocket that knows its link, so that all of them share one set of listeners. */
export class LinkedWebSocket extends WebSocket {
  link: WebSocketLink | undefined;
}

/** One raw WebSocket connection. */
export class WebSocketLink implements Link {
  readonly encoding = webSocketEncoding;
  readonly pausable = true;
  sink: Sink | undefined;
  private readonly writer: TurnWriter;
  /** When bytes were last seen to arrive from the client, and to be sent to it. */
  private receivedAt = performance.now();
  private sentAt = this.receivedAt;
  private bytesRead = 0;
  private bytesWritten = 0;
  /** When the unanswered ping was sent; null if there is none. */
  private pingedAt: number | null = null;
  private paused = false;
  private closing = false;
  /** Why this side closed; the reason of a client is not logged. */
  private reason = '';
  private byFrames = false;
  private readonly pingAfterMs: number;

  constructor(
    readonly id: string,
    private readonly socket: LinkedWebSocket,
    private readonly stream: CountingStream,
    readonly heartbeat: { readonly intervalMs: number; readonly timeoutMs: number },
    private readonly openLinks: Set<WebSocketLink>,
  ) {
    socket.link = this;
    socket.on('message', onMessage);
    socket.on('ping', onHeartbeat);
    socket.on('pong', onHeartbeat);
    socket.on('error', onError);
    socket.on('close', onClose);
    this.writer = new TurnWriter(stream);
    this.pingAfterMs = heartbeat.intervalMs * (EARLIEST + Math.random() * (LATEST - EARLIEST));
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
    this.receivedAt = performance.now();
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

  /** Cleans up after a closed WebSocket. */
  ended(code: number): void {
    this.closing = true;
    this.openLinks.delete(this);
    this.sink?.closed(code, this.reason);
  }

  /** Receives a message of the client. */
  receive(data: Buffer, isBinary: boolean): void {
    if (this.closing || this.sink === undefined) return;
    this.sink.heard(data.length);
    if (isBinary) {
      this.close(FrameCloseCode.unsupportedData, 'text frames only');
      return;
    }
    this.receiveText(this.sink, data.toString());
  }

  /**
   * Pings a client after a time without traffic in either direction; ends a dead one (P-2.12).
   *
   * Each client receives something in every interval, so that it can notice a dead server.
   */
  beat(now: number): void {
    if (this.closing) return;
    this.noteTraffic(now);
    if (this.pingedAt === null) {
      const receivedAt = this.paused ? now : this.receivedAt;
      if (now - Math.min(receivedAt, this.sentAt) > this.pingAfterMs) this.ping(now);
    } else if (now - this.pingedAt > this.heartbeat.timeoutMs) {
      this.sink?.silent();
      // No closing handshake: a dead client would not answer it.
      this.socket.terminate();
    }
  }

  private noteTraffic(now: number): void {
    const { bytesRead, bytesWritten } = this.stream;
    if (bytesRead !== this.bytesRead) {
      this.receivedAt = now;
      this.pingedAt = null;
    }
    if (bytesWritten !== this.bytesWritten) this.sentAt = now;
    this.bytesRead = bytesRead;
    this.bytesWritten = bytesWritten;
    // While reading is paused, an answer cannot be seen.
    if (this.paused) this.pingedAt = null;
  }

  private ping(now: number): void {
    if (this.byFrames) this.push(this.encoding.prepare('session.ping', { at: Date.now() }));
    else this.socket.ping();
    this.sentAt = now;
    this.pingedAt = this.paused ? null : now;
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

function onMessage(this: WebSocket, data: WebSocket.RawData, isBinary: boolean): void {
  (this as LinkedWebSocket).link?.receive(data as Buffer, isBinary);
}

/** Charges a ping, which ws has answered, or a pong. */
function onHeartbeat(this: WebSocket, data: Buffer): void {
  (this as LinkedWebSocket).link?.sink?.heard(data.length);
}

function onError(this: WebSocket): void {
  // ws has closed the connection with the code of the violation; `close` follows (P-4.6).
}

function onClose(this: WebSocket, code: number): void {
  (this as LinkedWebSocket).link?.ended(code);
}
