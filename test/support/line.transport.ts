import { randomUUID } from 'node:crypto';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

import {
  decodeCommand,
  encodeEvent,
  encodeReply,
  ProtocolError,
  type ChatTransport,
  type CommandId,
  type Encoding,
  type IncomingCommand,
  type Link,
  type Outcome,
  type Prepared,
  type Sink,
  type TransportHost,
} from '#src/index.js';

import type { Channel, ChannelListener, Opening } from './channel.js';

interface Lines extends Prepared {
  readonly text: string;
}

const lineEncoding: Encoding = {
  name: 'lines',

  prepare(event, data): Lines {
    const text = `${encodeEvent(event, data)}\n`;
    return { text, bytes: Buffer.byteLength(text) };
  },

  join(prepared): Lines {
    const text = (prepared as readonly Lines[]).map((one) => one.text).join('');
    return { text, bytes: Buffer.byteLength(text) };
  },
};

/** One connection of {@link LineTransport}. */
class LineLink implements Link {
  readonly id = randomUUID();
  readonly encoding = lineEncoding;
  readonly heartbeat = { intervalMs: 0, timeoutMs: 0 };
  readonly pausable = true;
  sink: Sink | undefined;
  private end = { code: 1006, reason: '' };
  private closing = false;

  constructor(private readonly socket: Socket) {
    socket.on('error', () => undefined);
    socket.once('close', () => this.sink?.closed(this.end.code, this.end.reason));
  }

  get bufferedBytes(): number {
    return this.socket.writableLength;
  }

  push(prepared: Prepared): void {
    this.write((prepared as Lines).text);
  }

  pause(): void {
    if (!this.closing) this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  pingByFrames(): boolean {
    return false;
  }

  close(code: number, reason: string): void {
    this.write(`${JSON.stringify({ close: { code, reason } })}\n`);
    this.closing = true;
    this.end = { code, reason };
    this.socket.resume();
    this.socket.end();
  }

  /** Handles a line of the client, which is a frame. */
  receive(line: string): void {
    if (this.closing || this.sink === undefined) return;
    try {
      const { id, cmd: name, data } = decodeCommand(line);
      this.sink.command({ name, data, ...this.replyTo(id) });
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      const id = error.toWire().details?.['id'] as CommandId | undefined;
      this.sink.malformed(error.message, this.replyTo(id).reply);
    }
  }

  private replyTo(id: CommandId | undefined): Pick<IncomingCommand, 'reply'> {
    if (id === undefined) return {};
    return { reply: (outcome: Outcome) => this.write(`${encodeReply(id, outcome)}\n`) };
  }

  private write(text: string): void {
    if (!this.closing && this.socket.writable) this.socket.write(text);
  }
}

/** The protocol as lines of JSON over TCP: an example of a transport by a third party. */
export class LineTransport implements ChatTransport {
  readonly name = 'lines';
  private readonly server: Server = createServer({ noDelay: true });
  private readonly sockets = new Set<Socket>();

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  attach(host: TransportHost): void {
    this.server.on('connection', (socket) => {
      this.sockets.add(socket);
      socket.once('close', () => this.sockets.delete(socket));
      const link = new LineLink(socket);
      eachLine(socket, (line) => {
        if (link.sink === undefined) link.sink = accept(host, link, socket, line);
        else link.receive(line);
      });
    });
    this.server.listen(0, '127.0.0.1');
  }

  close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }
}

/** Accepts a connection by its first line, which may have the data of hello (P-2.10). */
function accept(host: TransportHost, link: Link, socket: Socket, line: string): Sink | undefined {
  const { hello } = JSON.parse(line) as { hello?: unknown };
  const remoteAddress = socket.remoteAddress ?? '';
  const shorthand = hello === undefined ? {} : { hello };
  return host.accept(link, { headers: {}, url: '', remoteAddress, ...shorthand });
}

/** Splits lines at LF only; node:readline would also split a text at U+2028. */
function eachLine(socket: Socket, onLine: (line: string) => void): void {
  let rest = '';
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(line);
  });
}

/** Opens a connection to a {@link LineTransport}. */
export async function openLines(
  port: number,
  listener: ChannelListener,
  { hello }: Opening = {},
): Promise<Channel> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  let closed = { code: 1006, reason: '' };
  eachLine(socket, (line) => {
    const frame = JSON.parse(line) as { close?: typeof closed };
    if (frame.close === undefined) listener.frame(frame);
    else closed = frame.close;
  });
  socket.once('close', () => listener.closed(closed));
  await new Promise((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  socket.on('error', () => undefined);
  socket.write(`${JSON.stringify({ hello })}\n`);
  return {
    send: (frame) => {
      socket.write(`${typeof frame === 'string' ? frame : JSON.stringify(frame)}\n`);
    },
    close: () => {
      socket.end();
    },
  };
}
