import { WebSocket } from 'ws';

import type { Outcome } from '#src/protocol/frames.js';

import { packetAttempt, webSocketAttempt } from './attempts.js';
import type { LaneKind, Wire, WireListener } from './lane.js';

const SEPARATOR = '\x1e';
const ACK = /^43(\d+)(\[.*\])$/s;
const CONNECT = '40';
const BODY_BYTES = 60_000;

let lastId = 0;
const nextId = () => String(++lastId);

/** Returns a lane over raw WebSocket. */
export function rawWebSocketLane(port: number): LaneKind {
  return {
    id: () => `x${nextId()}`,
    attempt: webSocketAttempt,
    open: (listener) =>
      openSocket(`ws://127.0.0.1:${String(port)}/ws`, listener, {
        command: (id, cmd, data) => JSON.stringify({ id, cmd, data }),
        read: (text) => readFrame(text, listener),
      }),
  };
}

/** Returns a lane for Socket.IO over its WebSocket transport. */
export function socketIoLane(port: number): LaneKind {
  const url = `ws://127.0.0.1:${String(port)}/socket.io/?EIO=4&transport=websocket`;
  return {
    id: nextId,
    attempt: packetAttempt,
    open: (listener) =>
      untilConnected(listener, (watching) => {
        const read = (text: string) => readPacket(text, watching);
        return openSocket(url, watching, { command: toPacket, read });
      }),
  };
}

/** Returns a lane for Socket.IO over HTTP long polling. */
export function pollingLane(port: number): LaneKind {
  const url = `http://127.0.0.1:${String(port)}/socket.io/?EIO=4&transport=polling`;
  return {
    id: nextId,
    attempt: packetAttempt,
    open: (listener) => untilConnected(listener, (watching) => openPolling(url, watching)),
  };
}

/** Waits for the CONNECT packet: packets in the same turn would find no connection yet. */
async function untilConnected(
  listener: WireListener,
  open: (watching: SocketIoListener) => Promise<Wire>,
): Promise<Wire> {
  let done: () => void = () => undefined;
  const connected = new Promise<void>((resolve) => {
    done = resolve;
  });
  const wire = await open({
    connected: done,
    reply: (id, outcome) => listener.reply(id, outcome),
    nonsense: (text) => listener.nonsense(text),
    closed: () => {
      done();
      listener.closed();
    },
  });
  wire.send(CONNECT);
  wire.flush();
  await connected;
  return wire;
}

interface SocketIoListener extends WireListener {
  connected(): void;
}

interface Codec {
  command(id: string, cmd: string, data: unknown): string;
  read(text: string): void;
}

async function openSocket(url: string, listener: WireListener, codec: Codec): Promise<Wire> {
  const socket = new WebSocket(url);
  socket.on('message', (data) => codec.read(String(data)));
  socket.on('close', () => listener.closed());
  await new Promise((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  socket.on('error', () => undefined);
  return {
    get isOpen() {
      return socket.readyState === WebSocket.OPEN;
    },
    send: (text) => socket.send(text, () => undefined),
    flush: () => undefined,
    command: (id, cmd, data) => codec.command(id, cmd, data),
    close: () => socket.terminate(),
  };
}

async function openPolling(base: string, listener: SocketIoListener): Promise<Wire> {
  const opened = await (await fetch(base)).text();
  const { sid } = JSON.parse(opened.slice(1)) as { sid: string };
  const url = `${base}&sid=${sid}`;
  let isOpen = true;
  let waiting: string[] = [];
  let sending: Promise<unknown> = Promise.resolve();
  const end = () => {
    isOpen = false;
    listener.closed();
  };
  const post = (body: string) => fetch(url, { method: 'POST', body }).then(drain, end);
  const wire: Wire = {
    get isOpen() {
      return isOpen;
    },
    send: (text) => void waiting.push(text),
    flush: () => {
      for (const body of bodiesOf(waiting)) sending = sending.then(() => post(body));
      waiting = [];
    },
    command: toPacket,
    close: () => {
      isOpen = false;
      void post('1');
    },
  };
  void poll(url, listener, () => isOpen, post).then(end, end);
  return wire;
}

/** Divides packets among bodies that stay below the size limit (P-9.2). */
function bodiesOf(packets: readonly string[]): string[] {
  const bodies: string[] = [];
  for (const packet of packets) {
    const last = bodies.at(-1);
    const longer = `${last ?? ''}${SEPARATOR}${packet}`;
    if (last === undefined || Buffer.byteLength(longer) > BODY_BYTES) bodies.push(packet);
    else bodies[bodies.length - 1] = longer;
  }
  return bodies;
}

async function poll(
  url: string,
  listener: SocketIoListener,
  isOpen: () => boolean,
  post: (body: string) => Promise<unknown>,
): Promise<void> {
  while (isOpen()) {
    const response = await fetch(url);
    const body = await response.text();
    if (response.status !== 200) return;
    for (const packet of body.split(SEPARATOR)) {
      if (packet === '1') return;
      if (packet === '2') await post('3');
      else readPacket(packet, listener);
    }
  }
}

async function drain(response: Response): Promise<void> {
  await response.text();
}

function toPacket(id: string, cmd: string, data: unknown): string {
  return `42${id}${JSON.stringify([cmd, data])}`;
}

function readFrame(text: string, listener: WireListener): void {
  const frame = JSON.parse(text) as { re?: unknown; event?: unknown } & Outcome;
  const { re } = frame;
  if (typeof re === 'string') listener.reply(re, frame);
  else if (re === undefined && typeof frame.event !== 'string') listener.nonsense(text);
  else if (isNonsense(text)) listener.nonsense(text);
}

/** Returns whether a text is an `error` event that reports a fault of the server. */
function isNonsense(text: string): boolean {
  return /^(42\["error",|\{"event":"error",).*"code":"internal"/s.test(text);
}

function readPacket(text: string, listener: SocketIoListener): void {
  if (text.startsWith(CONNECT)) listener.connected();
  else if (isNonsense(text)) listener.nonsense(text);
  const [, id, values] = ACK.exec(text) ?? [];
  if (id === undefined || values === undefined) return;
  const [outcome, ...rest] = JSON.parse(values) as Outcome[];
  if (outcome === undefined || rest.length > 0) listener.nonsense(text);
  else listener.reply(id, outcome);
}
