import type { Connection } from '#src/chat/connection.js';
import type { CloseCode } from '#src/protocol/close-codes.js';

import type { Status } from '../../client/index.js';
import { ReturnDelay } from '../../client/return-delay.js';
import type { Verdict } from '../../client/verdict.js';
import { eventually } from '../support/eventually.js';
import { ALL_CARRIERS, Scene } from './scene.js';
import { ROOM } from './talk.js';
import type { WatchedChat } from './watched-chat.js';

const FIRST_MS = 20;
const NEVER_MS = '600000';
/** 16,000 bytes. */
const LONG_TEXT = '𐐀'.repeat(4_000);
const ENOUGH = 4_000;

let scene: Scene;
beforeEach(async () => {
  scene = await Scene.start({
    PARLANCE_LIMIT_SHED_BYTES: '131072',
    PARLANCE_LIMIT_BACKLOG_BYTES: '262144',
    PARLANCE_LIMIT_STALL_MS: NEVER_MS,
  });
});
afterEach(() => scene.dispose());

/** Has the server send a client away; gives what the client then says of itself. */
async function sendAway(client: WatchedChat, code: number, delayMs?: number) {
  await client.chat.ready();
  const from = client.statuses.length;
  const connection = scene.connectionOf(client);
  shortenFarewell(connection);
  connection.bye(code as CloseCode, 'for a test', delayMs);
  await client.until(() => client.statuses.length > from, 'the end of the connection');
  return client.statuses[from];
}

/** engine.io keeps a timer of 30 s for a client that polls no more, and the process with it. */
function shortenFarewell({ link }: Connection): void {
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
  test.each([4001, 4099])('after bye %i it does not come back', async (code) => {
    const ann = scene.chat(carrier);
    const status = await sendAway(ann, code);
    const late = ann.chat.call('session.ping');

    expect(status).toMatchObject({ name: 'closed', error: { code: 'stopped', closeCode: code } });
    await expect(late).rejects.toMatchObject({ code: 'stopped', closeCode: code, wasSent: false });
    await expect(ann.chat.ready()).rejects.toMatchObject({ message: 'for a test' });
  });

  test.each([4101, 4199])('after bye %i it comes back later and later', async (code) => {
    const ann = scene.chat(carrier);
    const delays: number[] = [];
    for (let i = 0; i < 3; i++) {
      const status = await sendAway(ann, code);
      delays.push(delayOf(status));
    }
    await ann.chat.ready();

    for (const [failures, delayMs] of delays.entries()) {
      expect(delayMs).toBeGreaterThanOrEqual((FIRST_MS * 2 ** failures) / 2);
      expect(delayMs).toBeLessThanOrEqual(FIRST_MS * 2 ** failures);
    }
  });

  test.each([4101, 4201, 4202])('after bye %i it comes back when it is told to', async (code) => {
    const ann = scene.chat(carrier);
    const status = await sendAway(ann, code, 123);
    await ann.chat.ready();

    expect(status).toEqual({ name: 'waiting', code, reason: 'for a test', delayMs: 123 });
  });

  test.each([4202, 4299])('after bye %i it comes back at once and resumes', async (code) => {
    const ann = await scene.member(carrier, ROOM, { returnDelays: { firstMs: 5_000 } });
    const status = await sendAway(ann, code);
    const rob = await scene.bystander();
    const { seq } = await rob.ok('room.join', { room: ROOM });
    await ann.reaches(ROOM, seq);

    expect(status).toMatchObject({ name: 'waiting', code });
    expect(delayOf(status)).toBeLessThan(100);
  });

  test('after bye 43xx it comes back with a new token, or not at all', async () => {
    const tokens: (string | undefined)[] = [undefined];
    const ann = scene.chat(carrier, { token: () => tokens.at(-1) });
    const bob = scene.chat(carrier);
    const { user } = await ann.chat.ready();
    tokens.push(ann.tokens.at(-1));
    const status = await sendAway(ann, 4301);
    const stopped = await sendAway(bob, 4301);

    expect(status).toMatchObject({ name: 'waiting', code: 4301 });
    expect((await ann.chat.ready()).user).toEqual(user);
    expect(stopped).toMatchObject({ name: 'closed', error: { code: 'stopped', closeCode: 4301 } });
  });

  test('catches up after it was closed for reading too slowly', async () => {
    const ann = await scene.member(carrier, ROOM);
    const rob = await scene.bystander();
    await rob.ok('room.join', { room: ROOM });
    const connection = scene.connectionOf(ann);
    scene.proxy.stall();
    for (let sent = 0; connection.isOpen && sent < ENOUGH; sent += 10) {
      const ids = Array.from({ length: 10 }, () =>
        rob.post('message.send', { room: ROOM, text: LONG_TEXT }),
      );
      await rob.reply(ids.at(-1));
    }
    expect(connection.isOpen).toBe(false);
    const { message } = await rob.ok('message.send', { room: ROOM, text: 'missed' });
    scene.proxy.flow();
    const { code } = await ann.reachesStatus('waiting');
    await ann.reaches(ROOM, message.seq);

    expect(code).toBe(4202);
    const first = ann.cut?.seq ?? 0;
    expect(ann.seqs(ROOM)).toEqual(range(first + 1, message.seq));
    expect(ann.gaps).toEqual([]);
  }, 60_000);

  test('keeps on trying while there is no server, and at once if it is told to', async () => {
    scene.proxy.cut();
    const ann = scene.chat(carrier, { returnDelays: { firstMs: 3_600_000, longestMs: 3_600_000 } });
    const ready = ann.chat.ready();
    const { code } = await ann.reachesStatus('waiting');
    scene.proxy.mend();
    ann.chat.hurry();

    expect(code).toBe(1006);
    expect((await ready).user.kind).toBe('guest');
  });
});

test('gives up an attempt to which nobody answers', async () => {
  scene.proxy.stall();
  const ann = scene.chat('websocket', { connectTimeoutMs: 50 });
  const { reason } = await ann.reachesStatus('waiting');
  scene.proxy.flow();
  await ann.chat.ready();

  expect(reason).toBe('No welcome came in time.');
});

test('stops when its hello is wrong', async () => {
  const { chat } = scene.chat('websocket', { hello: { name: '\u0000' } });

  await expect(chat.ready()).rejects.toMatchObject({
    code: 'stopped',
    cause: { cmd: 'hello', code: 'invalid' },
  });
});

test('comes back when one of too many connections of the user is gone', async () => {
  await scene.dispose();
  scene = await Scene.start({ PARLANCE_LIMIT_CONNECTIONS_PER_USER: '1' });
  const first = scene.chat('websocket');
  const { user } = await first.chat.ready();
  const second = scene.chat('websocket', { token: first.tokens.at(-1) ?? '' });
  const { code } = await second.reachesStatus('waiting');
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
    const connection = scene.connectionOf(ann);
    let answers = 0;
    const { command } = connection;
    connection.command = (given) => {
      if (given.name === 'session.ping') answers++;
      command.call(connection, given);
    };
    await eventually(() => answers >= 4, 'four answers');

    expect(ann.statuses.map(({ name }) => name)).toEqual(['open']);
  });

  test('gives up a connection on which nothing comes any more', async () => {
    const ann = scene.chat('websocket');
    await ann.chat.ready();
    scene.proxy.stall();
    const { code, reason } = await ann.reachesStatus('waiting');
    scene.proxy.flow();
    await ann.reachesStatus('open', 1);

    expect([code, reason]).toEqual([1006, 'The server is silent.']);
  });
});

describe('the delays', () => {
  const delays = (random: number, ...verdicts: Verdict[]) => {
    const delay = new ReturnDelay({ firstMs: 100, longestMs: 1_000 }, () => random);
    return verdicts.map((verdict) => delay.next(verdict));
  };

  test('double up to the longest, and vary by half', () => {
    const later: Verdict[] = Array.from({ length: 6 }, () => 'later');

    expect(delays(0, ...later)).toEqual([50, 100, 200, 400, 500, 500]);
    expect(delays(1, ...later)).toEqual([100, 200, 400, 800, 1_000, 1_000]);
  });

  test('are next to nothing the first time, if the server wants the client back now', () => {
    expect(delays(0.5, 'now', 'now', 'now')).toEqual([50, 150, 300]);
    expect(delays(0, 'new credentials', 'later')).toEqual([0, 100]);
  });

  test('begin anew after a good session', () => {
    const delay = new ReturnDelay({ firstMs: 100, longestMs: 1_000 }, () => 1);
    delay.next('later');
    delay.next('later');
    delay.reset();

    expect(delay.next('later')).toBe(100);
  });
});
