import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

import { defineDialect } from '#src/dialects/define-dialect.js';
import { loadDialects } from '#src/dialects/load-dialects.js';

import { eventually } from '../support/eventually.js';
import { startServer, type TestServer } from '../support/server.js';
import { OldPage } from './old-page.js';

const FILE = 'examples/shoutbox.dialect.js';
const require = createRequire(import.meta.url);

/** A dialect whose functions all throw. */
const clumsy = defineDialect<null>({
  name: 'clumsy',
  declares: ({ event }) => {
    if (event === 'trip') throw new Error('tripped');
    return event === 'stumble';
  },
  begin: () => null,
  fromClient: ({ data }, { user }, { defaultRoom }) => {
    if (data === 'now') throw new Error('stumbled');
    const arrival = user === null ? [{ ask: 'hello' as const, data: {} }] : [];
    if (data === 'refused') return [...arrival, { ask: 'room.leave', data: {} }];
    return [...arrival, { ask: 'room.join', data: { room: defaultRoom } }];
  },
  fromEvent: ({ event, data }) => {
    if (event !== 'message.created') throw new Error('fell');
    const { text } = (data as { message: { text: string } }).message;
    if (text === 'for each') return [{ emit: 'message', each: fall }];
    if (text === 'for whom') return [{ emit: 'message', data: text, isFor: fall }];
    return [{ emit: 'message', data: { text, big: 1n } }];
  },
  fromReply: ({ to }) => (to.ask === 'room.join' ? [{ emit: 'message', data: 'in' }] : []),
  refuse: ({ code }) => (code === 'invalid' ? fall() : { emit: 'error', data: code }),
});

function fall(): never {
  throw new Error('fell');
}

describe('a custom dialect', () => {
  let server: TestServer | undefined;
  afterEach(() => server?.dispose());

  test('is documented exactly as in its file', () => {
    expect(readFileSync('docs/dialects.md', 'utf8')).toContain(readFileSync(FILE, 'utf8'));
  });

  test('is loaded from its file and used', async () => {
    const dialects = await loadDialects(['examples/*.dialect.js'], process.cwd());
    server = await startServer({}, { dialects });
    const io = require('socket.io-client') as (url: string, options: object) => Page;
    const [ann, bob] = [io(server.url, { forceNew: true }), io(server.url, { forceNew: true })];
    const heard: unknown[] = [];
    for (const page of [ann, bob]) {
      page.on('shouted', (data) => heard.push(data));
      page.on('oops', (why) => heard.push(why));
    }
    ann.emit('shout', { nick: 'Ann', text: 'hi' });
    await eventually(() => heard.length === 1, 'the first text');
    bob.emit('shout', { nick: 'Bob', text: 'ho' });
    await eventually(() => heard.length === 3, 'the second text');
    bob.emit('shout', { nick: 'Robert', text: '' });
    await eventually(() => heard.length === 4, 'the refusal');
    bob.emit('shout', { nick: 'Robert', text: 'ha' });
    await eventually(() => heard.length === 6, 'the third text');

    const time = expect.any(Number) as number;
    expect(heard[0]).toEqual({ nick: 'Ann', text: 'hi', time });
    expect(heard[2]).toEqual({ nick: 'Bob', text: 'ho', time });
    expect(typeof heard[3]).toBe('string');
    expect(heard[5]).toEqual({ nick: 'Robert', text: 'ha', time });
    ann.close();
    bob.close();
  });

  test('affects no other connection if it throws', async () => {
    server = await startServer({ PARLANCE_LOG_LEVEL: 'silent' }, { dialects: [clumsy] });
    const page = await OldPage.open(server.url, 'broadcast', ['websocket']);
    page.post('stumble', 'into the room');
    expect(await page.next('message')).toBe('in');
    page.post('stumble', 'now');
    expect(await page.next('error')).toBe('internal');
    page.post('stumble', 'refused');
    const other = await OldPage.open(server.url, 'livechat');
    for (const text of ['for each', 'for whom', 'not JSON']) {
      other.post('send-msg', text);
      expect(await other.next('show-msg')).toBe(text);
    }
    const tripping = await OldPage.open(server.url, 'broadcast', ['websocket']);
    tripping.post('trip');
    expect(await tripping.next('error')).toMatchObject({ error: { code: 'unknown_command' } });
    tripping.close();
    page.post('stumble', 'again');
    expect(await page.next('message')).toBe('in');
    page.close();
    other.close();
  });

  test.each([
    ['bench/options.js', /exports no dialect/],
    ['nowhere/*.js', /no file in .* matches it/],
    ['examples/coin-bot.js', /cannot be loaded/],
  ])('cannot be loaded from %s', async (pattern, why) => {
    await expect(loadDialects([pattern], process.cwd())).rejects.toThrow(why);
  });

  test('prevents the start if it is incomplete or has a duplicate name', async () => {
    const half = { name: 'half', fromClient: () => [] } as never;
    await expect(startServer({}, { dialects: [half] })).rejects.toThrow(
      'The dialect half lacks declares, begin, fromEvent, fromReply, refuse.',
    );
    await expect(startServer({}, { dialects: [clumsy, clumsy] })).rejects.toThrow(
      /Two dialects are called clumsy/,
    );
  });
});

interface Page {
  on(event: string, listener: (data: unknown) => void): void;
  emit(event: string, data: unknown): void;
  close(): void;
}
