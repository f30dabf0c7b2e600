import type { Socket as EngineSocket } from 'engine.io';
import type { Socket } from 'socket.io';

import type { Link, Prepared, Sink } from '../../chat/transport.js';
import { mayReconnect } from '../../protocol/close-codes.js';
import type { Outcome } from '../../protocol/frames.js';
import { TurnWriter } from '../turn-writer.js';
import { admit, CLOSE_MS, type StreamedWebSocket } from './engine.js';
import type { PollAnswers } from './poll-answers.js';
import { prepareAck, socketIoEncoding, type PreparedPackets } from './socket-io.encoding.js';

/** What of engine.io is used beyond its types. */
interface EngineInternals {
  readonly upgrading: boolean;
  readonly writeBuffer: readonly unknown[];
  readonly transport: {
    readonly name: string;
    readonly socket?: StreamedWebSocket;
    readonly answers?: PollAnswers;
    /** Greatest body of a request, while it polls. */
    maxHttpBufferSize?: number;
  };
}

/** One Socket.IO connection, on whatever transport of engine.io it is at the moment. */
export class SocketIoLink implements Link {
  readonly encoding = socketIoEncoding;
  sink: Sink | undefined;
  private writer: TurnWriter | undefined;
  /** Bytes in the buffer of engine.io, as long as that is not empty. */
  private queuedBytes = 0;
  private closing = false;
  private paused = false;
  private admittedBytes = 0;

  constructor(
    private readonly socket: Socket,
    readonly heartbeat: { readonly intervalMs: number; readonly timeoutMs: number },
  ) {}

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

  /** Writes straight to the WebSocket's stream if nothing is before it in engine.io. */
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

  /** Gives a command its acknowledgement. */
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

  // Engine.io has heartbeats that its clients see.
  pingByFrames(): boolean {
    return false;
  }

  /** Also after the upgrade, which gives the engine another transport. */
  admitFrames(bytes: number): void {
    if (bytes <= this.admittedBytes) return;
    this.admittedBytes = bytes;
    const apply = (): void => {
      const { transport } = this.engine;
      if (this.webSocket === undefined) transport.maxHttpBufferSize = bytes;
      else admit(this.webSocket, bytes);
    };
    apply();
    this.conn.once('upgrade', apply);
  }

  /** A client that may come back loses its engine; one that may not is disconnected (P-4.5). */
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

  /** Who does not poll would keep what is sent at last until its heartbeat is missed. */
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
