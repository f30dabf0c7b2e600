import { once } from 'node:events';
import { connect } from 'node:net';

import { TestClient } from './client.js';
import { openSocketIoPackets } from './packets.js';
import { Polling } from './polling.js';
import { openRaw, rawFrame } from './raw-websocket.js';
import { connectClient, openWire, type WireTransport } from './wire-transports.js';

const TEXT = 1;
const OWN_CODE = 4_321;

/** A word that a client sends in every possible place, and the port of the server. */
export interface Canary {
  readonly port: number;
  readonly word: string;
}

type Exercise = (canary: Canary) => Promise<void>;

/** Returns commands that contain the word and that the server refuses. */
function refusedCommands(word: string, room: string): readonly (readonly [string, unknown])[] {
  return [
    ['message.send', { room, text: word.repeat(500) }],
    ['message.send', { room, text: ' ', cid: word }],
    ['message.send', { room, text: { [word]: word } }],
    ['message.send', { room, text: word, [word]: word }],
    ['message.send', { room, text: word, cid: word.repeat(9) }],
    ['message.send', { room, text: word, replyTo: word }],
    ['message.send', { room, text: `other ${word}`, cid: word }],
    ['message.send', { room: word, text: word }],
    ['message.send', { room, text: nested(word, 20) }],
    ['message.send', [word]],
    ['message.send', word],
    ['message.edit', { room, message: word, text: word }],
    ['message.react', { room, message: word, emoji: word }],
    ['room.create', { room: `${word}!`, title: word }],
    ['room.update', { room: 'general', title: word }],
    ['room.sync', { room, epoch: word, after: word }],
    ['room.list', { after: word, limit: word }],
    ['user.get', { user: word }],
    ['user.block', { user: word }],
    ['dm.open', { user: word }],
    ['dm.list', { after: word }],
    ['user.update', { name: `\u202e${word}` }],
    ['auth.refresh', { token: word }],
    ['hello', { protocol: 1, token: word }],
    [`${word}.do`, { [word]: word }],
  ];
}

/** Returns a word in nested arrays. */
function nested(word: string, levels: number): unknown {
  return levels === 0 ? word : [nested(word, levels - 1)];
}

/** Sends valid and invalid input that contains the word; returns the tokens used. */
export async function sendEverything(transport: WireTransport, canary: Canary): Promise<string[]> {
  const { port, word } = canary;
  const first = await connectClient(transport, port, { name: 'ann', client: { name: word } });
  const { token = '' } = first.welcome;
  const refreshed = await first.ok('auth.refresh', {});
  await first.ok('auth.refresh', { token });
  await first.close();

  const hello = { token };
  const headers = { 'user-agent': word, cookie: `session=${word}`, 'x-forwarded-for': word };
  const client = await TestClient.connect((listener) =>
    openWire(transport, port, listener, { hello, headers }),
  );
  await client.event('welcome');
  await converse(client, word, transport.replaceAll(/\W/g, '-'));
  await client.close();

  const refused = await TestClient.connect((listener) => openWire(transport, port, listener));
  await refused.expectError('hello', { protocol: 1, token: `${token}${word}` }, 'token_invalid');
  await refused.expectError('hello', { protocol: 2, name: word }, 'unsupported_version');
  await refused.expectError('message.send', { room: word, text: word }, 'hello_required');
  await refused.close();

  await UNUSUAL[transport]({ port, word });
  return [token, refreshed.token, client.welcome.token ?? ''];
}

async function converse(client: TestClient, word: string, room: string): Promise<void> {
  await client.ok('room.join', { room, create: true, title: word });
  const { message } = await client.ok('message.send', { room, text: word, cid: word });
  const reply = { room, text: `re: ${word}`, replyTo: message.id, cause: message.id };
  await client.ok('message.send', reply);
  await client.ok('message.edit', { room, message: message.id, text: `edited ${word}` });
  await client.ok('message.status', { room, cid: word });
  await client.ok('message.history', { room });
  await client.ok('room.sync', { room });
  for (const [cmd, data] of refusedCommands(word, room)) {
    const { ok } = await client.call(cmd, data);
    if (ok) throw new Error(`${cmd} was expected to be refused: ${JSON.stringify(data)}`);
    client.send({ cmd, data });
    await client.event('error');
  }
  await client.ok('message.delete', { room, message: message.id });
}

/** Input that no client library sends, by transport. */
const UNUSUAL: Record<WireTransport, Exercise> = {
  websocket: async ({ port, word }) => {
    const url = `ws://127.0.0.1:${String(port)}/ws`;
    const malformed = await openRaw(url);
    const texts = [
      word,
      `{"cmd":"${word}`,
      `["${word}"]`,
      `{"id":"${word}","cmd":5,"x":"${word}"}`,
    ];
    for (const text of texts) malformed.socket.send(text);
    await malformed.client.until(
      () => malformed.client.frames.length === texts.length,
      'the answers',
    );
    malformed.socket.close(OWN_CODE, word);
    await malformed.client.end();
    const withTokenInUrl = await openRaw(`${url}?name=ann&token=${word}`);
    await withTokenInUrl.client.event('error');
    withTokenInUrl.socket.send(Buffer.from(word));
    await withTokenInUrl.client.end();
    const payload = Buffer.from(word);
    for (const broken of [{ rsv1: true }, { masked: false }, { opcode: 7 }]) {
      const raw = await openRaw(url, { headers: { authorization: `Bearer ${word}` } });
      raw.write(rawFrame({ opcode: TEXT, payload, ...broken }));
      await raw.client.end();
    }
  },
  'socket.io websocket': async ({ port, word }) => {
    const url = `http://127.0.0.1:${String(port)}`;
    const packets = [`42["${word}"`, `42[{"${word}":1}]`, `451-["${word}"]`, `4${word}`, word];
    for (const text of packets) {
      const raw = await openSocketIoPackets(url, { token: word });
      raw.socket.send(text);
      raw.socket.close(OWN_CODE, word);
      await raw.client.end();
    }
  },
  'socket.io polling': async ({ port, word }) => {
    const url = `http://127.0.0.1:${String(port)}`;
    for (const text of [`42["${word}"`, `42[{"${word}":1}]`, `4${word}`, word, `b${word}`]) {
      const session = await Polling.open(url);
      await session.post('40');
      await session.post(text);
    }
  },
};

const HOST = 'HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n';
const UPGRADE =
  'HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';

/** Sends HTTP requests that fail or are malformed and that contain the word. */
export async function requestEverything({ port, word }: Canary): Promise<void> {
  const body = `{"text":"${word}`;
  const json = `Content-Type: application/json\r\nContent-Length: ${String(body.length)}\r\n`;
  const requests = [
    `GET /${word}?token=${word} ${HOST}Authorization: Bearer ${word}\r\n\r\n`,
    `GET /%E0%A4%A${word} ${HOST}\r\n`,
    `GET /readyz?token=${word} ${HOST}Authorization: Bearer ${word}\r\n\r\n`,
    `POST /healthz ${HOST}${json}\r\n${body}`,
    `POST /socket.io/?EIO=4&transport=polling&sid=${word} ${HOST}${json}\r\n${body}`,
    `GET /socket.io/?EIO=4&transport=${word} ${HOST}\r\n`,
    `GET /${word} ${UPGRADE}\r\n`,
    `GET /ws ${UPGRADE}Origin: ${word}\r\n\r\n`,
    `GET /ws ${UPGRADE}Origin: https://name:${word}@page.example/${word}\r\n\r\n`,
    `${word}\r\n\r\n`,
  ];
  for (const request of requests) {
    const socket = connect(port, '127.0.0.1');
    socket.resume().end(request);
    await once(socket, 'close');
  }
}
