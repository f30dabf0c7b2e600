import type { Socket as EngineSocket } from 'engine.io';
import type { Socket } from 'socket.io';

import type { Link, Prepared, Sink } from '../../chat/connections/transport.js';
import { mayReconnect } from '../../protocol/close-codes.js';
import type { Outcome } from '../../protocol/frames.js';
import { TurnWriter } from '../turn-writer.js';
import { CLOSE_MS, setMaxPayload, type StreamedWebSocket } from './engine-web-socket.js';
import type { PollAnswers } from './poll-answers.js';
import { prepareAck, socketIoEncoding, type PreparedPackets } from './socket-io.encoding.js';

/** Undocumented members of engine.io; `pinned-members.spec.ts` checks that they exist. */
interface EngineInternals {
  readonly upgrading: boolean;
  readonly writeBuffer: readonly { readonly data?: string }[];
  readonly transport: {
    readonly name: string;
    readonly socket?: StreamedWebSocket;
    readonly answers?: PollAnswers;
    /** Maximum size of a request body, for polling. */
    maxHttpBufferSize?: number;
  };
}

/** One Socket.IO connection, on any transport of engine.io. */
export class SocketIoLink implements Link {
  readonly encoding = socketIoEncoding;
  sink: Sink | undefined;
  private writer: TurnWriter | undefined;
  /** Bytes in the buffer of engine.io, while that is not empty. */
  private queuedBytes = 0;
  private closing = false;
  private paused = false;
  private frameBytes = 0;

  constructor(
    private readonly socket: Socket,
    readonly heartbeat: { readonly intervalMs: number; readonly timeoutMs: number },
  ) {
    // The response to a poll contains only some of the packets.
    this.conn.on('drain', this.recount);
  }

  get id(): string {
    return this.socket.id;
  }

  get bufferedBytes(): number {
    const { writeBuffer, transport } = this.engine;
    const inEngine = writeBuffer.length === 0 ? 0 : this.queuedBytes;
    return inEngine + (transport.answers?.bytes ?? 0) + (this.writer?.bufferedBytes ?? 0);
  }

  get pausable(): boolean {
    return this.webSocket !== undefined;
  }

  /** Writes to the stream of the WebSocket directly if engine.io has nothing buffered. */
  push(prepared: Prepared): void {
    if (this.closing) return;
    const { packets, frames } = prepared as PreparedPackets;
    const direct = this.directWriter();
    if (direct !== undefined) {
      direct.add(frames);
      return;
    }
    if (this.engine.writeBuffer.length === 0) this.queuedBytes = 0;
    this.queuedBytes += prepared.bytes;
    for (const packet of packets) this.conn.write(packet);
  }

  private readonly recount = (): void => {
    const { writeBuffer } = this.engine;
    this.queuedBytes = writeBuffer.reduce((sum, { data = '' }) => sum + Buffer.byteLength(data), 0);
  };

  /** Sends the acknowledgement of a command. */
  acknowledge(id: number, outcome: Outcome): void {
    this.push(prepareAck(id, outcome));
  }

  pause(): void {
    if (this.paused || this.closing || this.webSocket === undefined) return;
    this.paused = true;
    this.webSocket.pause();
  }

  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    this.webSocket?.resume();
  }

  // Engine.io has its own heartbeat, which its clients see.
  pingByFrames(): boolean {
    return false;
  }

  /** Applies again after the upgrade, which replaces the transport of the engine. */
  admitFrames(bytes: number): void {
    if (bytes <= this.frameBytes) return;
    this.frameBytes = bytes;
    const apply = (): void => {
      const { transport } = this.engine;
      if (this.webSocket === undefined) transport.maxHttpBufferSize = bytes;
      else setMaxPayload(this.webSocket, bytes);
    };
    apply();
    this.conn.once('upgrade', apply);
  }

  /** Closes the engine if the client may reconnect; otherwise disconnects it (P-4.5). */
  close(code: number, reason: string): void {
    this.writer?.flush();
    this.closing = true;
    this.resume();
    this.dropLater();
    if (!mayReconnect(code)) this.socket.disconnect(true);
    else if (this.webSocket === undefined || this.engine.upgrading) this.conn.close();
    else if (this.engine.writeBuffer.length === 0) this.webSocket.close(code, reason);
    else this.conn.once('drain', () => this.webSocket?.close(code, reason));
  }

  /** Drops a client that does not poll for its last packets, before its heartbeat times out. */
  private dropLater(): void {
    const { conn } = this;
    const timer = setTimeout(() => conn.close(true), CLOSE_MS);
    conn.once('close', () => clearTimeout(timer));
  }

  private directWriter(): TurnWriter | undefined {
    const { upgrading, writeBuffer } = this.engine;
    const stream = this.webSocket?.stream;
    if (stream === undefined || upgrading || writeBuffer.length > 0) return undefined;
    return (this.writer ??= new TurnWriter(stream));
  }

  private get conn(): EngineSocket {
    return this.socket.conn;
  }

  private get engine(): EngineInternals {
    return this.socket.conn as unknown as EngineInternals;
  }

  private get webSocket(): StreamedWebSocket | undefined {
    const { transport } = this.engine;
    return transport.name === 'websocket' ? transport.socket : undefined;
  }
}
