import { WebSocket } from 'ws';

import type { Channel, ChannelListener } from '../channel.js';
import { Polling } from '../polling.js';

/** A connection whose client can stop reading without disconnecting. */
export interface PausableChannel extends Channel {
  stopReading(): void;
  readOn(): void;
}

/** Turns the packets of a Socket.IO connection into frames, and back. */
class Packets {
  private lastAck = 0;
  private readonly ids = new Map<number, unknown>();
  private connected: () => void = () => undefined;
  /** Resolves when the default namespace is connected. */
  readonly ready = new Promise<void>((resolve) => (this.connected = resolve));

  constructor(
    private readonly listener: ChannelListener,
    private readonly post: (packet: string) => void,
  ) {}

  /** Handles a packet of the server. */
  handle(packet: string): void {
    const [, type = '', ack = '', json = ''] = /^(\d?\d?)(\d*)(.*)$/s.exec(packet) ?? [];
    if (packet.startsWith('0')) this.post('40');
    else if (packet === '2') this.post('3');
    else if (type === '40') this.connected();
    else if (type === '42') {
      const [event, data] = JSON.parse(json) as [string, unknown];
      this.listener.frame({ event, data });
    } else if (type === '43') {
      const [outcome] = JSON.parse(json) as [object];
      this.listener.frame({ re: this.ids.get(Number(ack)), ...outcome });
    }
  }

  /** Sends a command frame. */
  send(frame: unknown): void {
    const { id, cmd, data } = frame as { id: unknown; cmd: string; data: unknown };
    this.ids.set(++this.lastAck, id);
    this.post(`42${String(this.lastAck)}${JSON.stringify([cmd, data])}`);
  }
}

/** Opens a raw WebSocket that can stop reading. */
export async function openPausableWebSocket(
  url: string,
  listener: ChannelListener,
): Promise<PausableChannel> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`);
  socket.on('message', (data) => listener.frame(JSON.parse((data as Buffer).toString())));
  const controls = makeControls(socket, listener);
  await new Promise((resolve) => socket.once('open', resolve));
  return { ...controls, send: (frame) => socket.send(JSON.stringify(frame)) };
}

/** Opens Socket.IO over a WebSocket that can stop reading. */
export async function openPausableSocketIo(
  url: string,
  listener: ChannelListener,
): Promise<PausableChannel> {
  const base = url.replace('http', 'ws');
  const socket = new WebSocket(`${base}/socket.io/?EIO=4&transport=websocket`);
  const packets = new Packets(listener, (packet) => socket.send(packet));
  socket.on('message', (data) => packets.handle((data as Buffer).toString()));
  const controls = makeControls(socket, listener);
  await packets.ready;
  return { ...controls, send: (frame) => packets.send(frame) };
}

function makeControls(socket: WebSocket, listener: ChannelListener): Omit<PausableChannel, 'send'> {
  socket.on('error', () => undefined);
  socket.on('close', (code, reason) => listener.closed({ code, reason: String(reason) }));
  return {
    close: () => socket.terminate(),
    stopReading: () => socket.pause(),
    readOn: () => socket.resume(),
  };
}

/** Opens Socket.IO over HTTP polling that can stop polling; a pending request is still answered. */
export async function openPausablePolling(
  url: string,
  listener: ChannelListener,
): Promise<PausableChannel> {
  const session = await Polling.open(url);
  const packets = new Packets(listener, (packet) => void session.post(packet));
  let gate = Promise.resolve();
  let open = (): void => undefined;
  void (async () => {
    for (let received = ['0']; received.length > 0; received = await session.poll()) {
      for (const packet of received) packets.handle(packet);
      await gate;
    }
  })().finally(() => listener.closed({ code: 1005, reason: 'the session has ended' }));
  await packets.ready;
  return {
    send: (frame) => packets.send(frame),
    close: () => void session.post('1'),
    stopReading: () => {
      gate = new Promise((resolve) => (open = resolve));
    },
    readOn: () => open(),
  };
}
