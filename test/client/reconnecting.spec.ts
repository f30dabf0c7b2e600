import type { Connection } from '#src/chat/connections/connection.js';
import type { CloseCode } from '#src/protocol/close-codes.js';

import type { Status } from '../../client/index.js';
import { ReconnectDelay } from '../../client/reconnect-delay.js';
import type { Verdict } from '../../client/verdict.js';
import { eventually } from '../support/eventually.js';
import { ALL_CARRIERS, Scene } from './scene.js';
import { ROOM } from './talk.js';
import type { WatchedChat } from './watched-chat.js';

const FIRST_MS = 20;
const NEVER_MS = '600000';
/** 16,000 bytes. */
const LONG_TEXT = '𐐀'.repeat(4_000);
const MAX_MESSAGES = 4_000;

let scene: Scene;
beforeEach(async () => {
  scene = await Scene.start({
    PARLANCE_LIMIT_SHED_BYTES: '131072',
    PARLANCE_LIMIT_BACKLOG_BYTES: '262144',
    PARLANCE_LIMIT_STALL_MS: NEVER_MS,
  });
});
afterEach(() => scene.dispose());

/** Lets the server disconnect a client; returns the next status of the client. */
async function disconnect(client: WatchedChat, code: number, delayMs?: number) {
  await client.chat.ready();
  const from = client.statuses.length;
  const connection = scene.connectionOf(client);
  shortenCloseTimeout(connection);
  connection.bye(code as CloseCode, 'for a test', delayMs);
  await client.until(() => client.statuses.length > from, 'the end of the connection');
  return client.statuses[from];
}

/** Shortens the timer of 30 s that engine.io keeps for a client that stopped polling. */
function shortenCloseTimeout({ link }: Connection): void {
  const { inner = link } = link as { inner?: unknown };
  const { socket } = inner as { socket: { conn?: { transport: { closeTimeout?: number } } } };
  if (socket.conn !== undefined) socket.conn.transport.closeTimeout = 1;
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

function delayOf(status: Status | undefined): number {
  return status?.name === 'waiting' ? status.delayMs : NaN;
}

describe.each(ALL_CARRIERS)('over %s', (carrier) => {
  test.each([4001, 4099])('after bye %i it does not reconnect', async (code) => {
    const ann = scene.chat(carrier);
    const status = await disconnect(ann, code);
    const late = ann.chat.call('session.ping');

    expect(status).toMatchObject({ name: 'closed', error: { code: 'stopped', closeCode: code } });
    await expect(late).rejects.toMatchObject({ code: 'stopped', closeCode: code, wasSent: false });
    await expect(ann.chat.ready()).rejects.toMatchObject({
      message: 'The server told the client not to reconnect: for a test',
    });
  });

  test.each([4101, 4199])('after bye %i it reconnects with growing delays', async (code) => {
    const ann = scene.chat(carrier);
    const delays: number[] = [];
    for (let i = 0; i < 3; i++) {
      const status = await disconnect(ann, code);
      delays.push(delayOf(status));
    }
    await ann.chat.ready();

    for (const [failures, delayMs] of delays.entries()) {
      expect(delayMs).toBeGreaterThanOrEqual((FIRST_MS * 2 ** failures) / 2);
      expect(delayMs).toBeLessThanOrEqual(FIRST_MS * 2 ** failures);
    }
  });

  test.each([4101, 4201, 4202])('after bye %i it reconnects at the named time', async (code) => {
    const ann = scene.chat(carrier);
    const status = await disconnect(ann, code, 123);
    await ann.chat.ready();

    expect(status).toEqual({ name: 'waiting', code, reason: 'for a test', delayMs: 123 });
  });

  test.each([4202, 4299])('after bye %i it reconnects at once and resumes', async (code) => {
    const ann = await scene.member(carrier, ROOM, { reconnectDelays: { firstMs: 5_000 } });
    const status = await disconnect(ann, code);
    const rob = await scene.bystander();
    const { seq } = await rob.ok('room.join', { room: ROOM });
    await ann.untilEvent(ROOM, seq);

    expect(status).toMatchObject({ name: 'waiting', code });
    expect(delayOf(status)).toBeLessThan(100);
  });

  test('after bye 43xx it reconnects with a new token, or not at all', async () => {
    const tokens: (string | undefined)[] = [undefined];
    const ann = scene.chat(carrier, { token: () => tokens.at(-1) });
    const bob = scene.chat(carrier);
    const { user } = await ann.chat.ready();
    tokens.push(ann.tokens.at(-1));
    const status = await disconnect(ann, 4301);
    const stopped = await disconnect(bob, 4301);

    expect(status).toMatchObject({ name: 'waiting', code: 4301 });
    expect((await ann.chat.ready()).user).toEqual(user);
    expect(stopped).toMatchObject({
      name: 'closed',
      error: { code: 'token_refused', closeCode: 4301 },
    });
  });

  test('catches up after it was closed for reading too slowly', async () => {
    const ann = await scene.member(carrier, ROOM);
    const rob = await scene.bystander();
    await rob.ok('room.join', { room: ROOM });
    const connection = scene.connectionOf(ann);
    scene.proxy.stall();
    for (let sent = 0; connection.isOpen && sent < MAX_MESSAGES; sent += 10) {
      const ids = Array.from({ length: 10 }, () =>
        rob.post('message.send', { room: ROOM, text: LONG_TEXT }),
      );
      await rob.reply(ids.at(-1));
    }
    expect(connection.isOpen).toBe(false);
    const { message } = await rob.ok('message.send', { room: ROOM, text: 'missed' });
    scene.proxy.resume();
    const { code } = await ann.untilStatus('waiting');
    await ann.untilEvent(ROOM, message.seq);

    expect(code).toBe(4202);
    const first = ann.cut?.seq ?? 0;
    expect(ann.seqs(ROOM)).toEqual(range(first + 1, message.seq));
    expect(ann.gaps).toEqual([]);
  }, 60_000);

  test('keeps trying while there is no server, and at once on request', async () => {
    scene.proxy.cut();
    const ann = scene.chat(carrier, {
      reconnectDelays: { firstMs: 3_600_000, longestMs: 3_600_000 },
    });
    const ready = ann.chat.ready();
    const { code } = await ann.untilStatus('waiting');
    scene.proxy.repair();
    ann.chat.reconnectNow();

    expect(code).toBe(1006);
    expect((await ready).user.kind).toBe('guest');
  });
});

test('abandons an attempt that gets no answer', async () => {
  scene.proxy.stall();
  const ann = scene.chat('websocket', { connectTimeoutMs: 50 });
  const { reason } = await ann.untilStatus('waiting');
  scene.proxy.resume();
  await ann.chat.ready();

  expect(reason).toMatch(/^The connection did not open within 0\.05 s\./);
});

test('stops when its hello is wrong', async () => {
  const { chat } = scene.chat('websocket', { hello: { name: '\u0000' } });

  await expect(chat.ready()).rejects.toMatchObject({
    code: 'stopped',
    cause: { cmd: 'hello', code: 'invalid' },
  });
});

test('reconnects when one of too many connections of the user has ended', async () => {
  await scene.dispose();
  scene = await Scene.start({ PARLANCE_LIMIT_CONNECTIONS_PER_USER: '1' });
  const first = scene.chat('websocket');
  const { user } = await first.chat.ready();
  const second = scene.chat('websocket', { token: first.tokens.at(-1) ?? '' });
  const { code } = await second.untilStatus('waiting');
  await first.chat.close();

  expect(code).toBe(4102);
  expect((await second.chat.ready()).user).toEqual(user);
});

describe('with short heartbeats', () => {
  beforeEach(async () => {
    await scene.dispose();
    scene = await Scene.start({
      PARLANCE_LIMIT_HEARTBEAT_INTERVAL_MS: '100',
      PARLANCE_LIMIT_HEARTBEAT_TIMEOUT_MS: '300',
    });
  });

  test('answers the pings of the server', async () => {
    const ann = scene.chat('websocket');
    await ann.chat.ready();
    const intake = scene.intakeOf(ann);
    let answers = 0;
    const { command } = intake;
    intake.command = (received) => {
      if (received.name === 'session.ping') answers++;
      command.call(intake, received);
    };
    await eventually(() => answers >= 4, 'four answers');

    expect(ann.statuses.map(({ name }) => name)).toEqual(['open']);
  });

  test('drops a connection on which nothing arrives any more', async () => {
    const ann = scene.chat('websocket');
    await ann.chat.ready();
    scene.proxy.stall();
    const { code, reason } = await ann.untilStatus('waiting');
    scene.proxy.resume();
    await ann.untilStatus('open', 1);

    expect({ code, reason }).toEqual({ code: 1006, reason: 'The server stopped responding.' });
  });
});

describe('the delays', () => {
  const delays = (random: number, ...verdicts: Verdict[]) => {
    const delay = new ReconnectDelay({ firstMs: 100, longestMs: 1_000 }, () => random);
    return verdicts.map((verdict) => delay.next(verdict));
  };

  test('double up to the longest, and vary by half', () => {
    const later: Verdict[] = Array.from({ length: 6 }, () => 'later');

    expect(delays(0, ...later)).toEqual([50, 100, 200, 400, 500, 500]);
    expect(delays(1, ...later)).toEqual([100, 200, 400, 800, 1_000, 1_000]);
  });

  test('are minimal the first time if the server asks the client to reconnect at once', () => {
    expect(delays(0.5, 'now', 'now', 'now')).toEqual([50, 150, 300]);
    expect(delays(0, 'new credentials', 'later')).toEqual([0, 100]);
  });

  test('start again after a good session', () => {
    const delay = new ReconnectDelay({ firstMs: 100, longestMs: 1_000 }, () => 1);
    delay.next('later');
    delay.next('later');
    delay.reset();

    expect(delay.next('later')).toBe(100);
  });
});
