import { io } from 'socket.io-client';

import { openWebSocket } from '../support/channels/websocket.channel.js';
import { TestClient } from '../support/client.js';
import { eventually } from '../support/eventually.js';
import { startServer, type TestServer } from '../support/server.js';
import { OldPage } from './old-page.js';

describe('a silent connection', () => {
  let server: TestServer;
  const pages: OldPage[] = [];
  afterEach(async () => {
    for (const page of pages.splice(0)) page.close();
    await server.dispose();
  });

  async function open(): Promise<OldPage> {
    const page = await OldPage.open(server.url, 'broadcast', ['websocket']);
    pages.push(page);
    return page;
  }

  const connect = (hello?: { name: string }): Promise<TestClient> =>
    TestClient.connect((to) =>
      openWebSocket(`${server.url}/ws`, to, hello === undefined ? {} : { hello }),
    );

  test('receives the default room without being a member and stays open', async () => {
    server = await startServer({ PARLANCE_LIMIT_HELLO_TIMEOUT_MS: '5000' });
    const page = await open();
    expect(await page.next('message')).toMatch(/^Welcome/);
    const late = await connect();
    expect((await late.end()).code).toBe(4003);
    const ann = await connect({ name: 'ann' });
    const cut = await ann.ok('room.join', { room: 'general' });
    expect(cut.members.map(({ user }) => user.name)).toEqual(['ann']);
    expect(cut.presence.count).toBe(1);

    await ann.ok('room.join', { room: 'other', create: true });
    await ann.ok('message.send', { room: 'other', text: 'not for all' });
    await ann.ok('message.send', { room: 'general', text: 'for all' });

    expect(await page.next('show-msg')).toBe('for all');
    expect(await page.next('message receive')).toEqual({ client: 'ann', message: 'for all' });
    expect(await page.next('message')).toBe('for all');
    await ann.close();
  });

  test.each(['realtime-chat', 'broadcast'] as const)(
    'misses nothing that is posted after it has connected [%s]',
    async (program) => {
      server = await startServer({ PARLANCE_LEGACY_SILENCE_MS: '200' });
      const ann = await connect({ name: 'ann' });
      await ann.ok('room.join', { room: 'general' });
      let isOpen = false;
      let sent = 0;
      const post = async (): Promise<void> => {
        await ann.ok('message.send', { room: 'general', text: String(++sent) });
      };
      const posting = (async () => {
        while (!isOpen) await post();
      })();
      const page = await OldPage.open(server.url, program);
      pages.push(page);
      const first = sent + 1;
      isOpen = true;
      await posting;
      for (let more = 0; more < 20; more++) await post();
      const texts = () =>
        page.heard
          .filter(({ event }) => event === 'message receive')
          .map(({ data }) => Number((data as { message: string }).message));
      await eventually(() => texts().includes(sent), 'the last post');

      const all = Array.from({ length: sent - first + 1 }, (_, i) => first + i);
      expect(texts().filter((number) => number >= first)).toEqual(all);
      const [greeting] = page.heard;
      expect(greeting?.data).toMatch(/^Welcome/);
      await ann.close();
    },
  );

  test('receives after a restart the posts from before it reconnected', async () => {
    server = await startServer();
    await server.stop();
    server = await startServer(server.env);
    const first = await OldPage.open(server.url, 'realtime-chat', ['websocket']);
    pages.push(first);
    first.post('message broadcast', { message: 'typed while the server was down' });
    await first.next('message receive');
    const second = await open();
    expect(await second.next('message')).toMatch(/^Welcome/);
    expect(await second.next('show-msg')).toBe('typed while the server was down');
  });

  test('reads the history without becoming a guest, even if many clients load the page', async () => {
    server = await startServer({
      PARLANCE_TRUST_PROXY: 'loopback',
      PARLANCE_LIMIT_GUESTS_PER_HOUR: '2',
    });
    const ann = await connect({ name: 'ann' });
    await ann.ok('room.join', { room: 'general' });
    await ann.ok('message.send', { room: 'general', text: 'before' });
    const headers = { 'X-Forwarded-For': '192.0.2.1' };
    for (let load = 0; load < 4; load++) {
      const page = await OldPage.open(server.url, 'livechat', ['websocket'], headers);
      pages.push(page);
      page.post('request-all-msgs');
      expect(await page.next('show-all-msgs')).toEqual(['before']);
    }
    await ann.ok('message.send', { room: 'general', text: 'after' });
    for (const page of pages) expect(await page.next('show-msg')).toBe('after');
    const { members } = await ann.ok('room.members', { room: 'general' });
    expect(members).toHaveLength(1);
    pages[0]?.post('send-msg', 'hi');
    expect(await pages[0]?.next('show-msg')).toBe('hi');
    expect(pages[0]?.rest()).toEqual([]);
    await ann.close();
  });

  test('is counted in the presence of the room', async () => {
    server = await startServer({ PARLANCE_LEGACY_SILENCE_MS: '10' });
    const ann = await connect({ name: 'ann' });
    const { presence } = await ann.ok('room.join', { room: 'general' });
    expect(presence).toEqual({ online: [expect.any(String)], count: 1 });
    const page = await open();
    const told = await ann.event('presence', ({ listeners }) => listeners === 1);
    expect(told).toMatchObject({ room: 'general', offline: [], count: 1 });
    expect((await ann.ok('room.get', { room: 'general' })).listeners).toBe(1);
    const again = await ann.ok('room.join', { room: 'general' });
    expect(again.presence.listeners).toBe(1);
    page.close();
    await ann.event('presence', ({ listeners }) => listeners === 0);
    expect(await ann.ok('room.get', { room: 'general' })).not.toHaveProperty('listeners');
    await ann.close();
  });

  test('is not an observer with PARLANCE_LIMIT_OBSERVERS=0; a page that reads becomes a guest', async () => {
    server = await startServer({
      PARLANCE_LIMIT_OBSERVERS: '0',
      PARLANCE_LIMIT_HELLO_TIMEOUT_MS: '1000',
    });
    const ann = await connect({ name: 'ann' });
    await ann.ok('room.join', { room: 'general' });
    const silent = await open();
    const reader = await OldPage.open(server.url, 'livechat', ['websocket']);
    pages.push(reader);
    reader.post('request-all-msgs');
    expect(await reader.next('show-all-msgs')).toEqual([]);
    expect((await ann.event('member.joined')).member.user.name).toMatch(/^guest-/);
    await ann.ok('message.send', { room: 'general', text: 'hi' });
    expect(await reader.next('show-msg')).toBe('hi');
    await silent.ended();
    expect(silent.heard).toEqual([]);
    await ann.close();
  });

  test('receives every post once when it starts to post itself', async () => {
    server = await startServer();
    const page = await open();
    await page.next('message');
    const ann = await connect({ name: 'ann' });
    await ann.ok('room.join', { room: 'general' });
    const texts = Array.from({ length: 40 }, (_, i) => String(i));
    for (const text of texts) {
      ann.post('message.send', { room: 'general', text });
      if (text === '20') page.post('message', 'in between');
    }
    const has = (text: string) => page.heard.some(({ data }) => data === text);
    await eventually(() => has('39') && has('in between'), 'the last message');

    const heard = page.heard.filter(({ event }) => event === 'message').map(({ data }) => data);
    const own = heard.indexOf('in between');
    expect(own).toBeGreaterThan(0);
    expect(heard.filter((_, i) => i > 0 && i !== own)).toEqual(texts);
    await ann.close();
  });

  test('stops being an observer when it declares a dialect without observers', async () => {
    server = await startServer({ PARLANCE_LIMIT_OBSERVERS: '1' });
    const page = await OldPage.open(server.url, 'rooms', ['websocket']);
    pages.push(page);
    await page.next('message');
    page.post('join', { room: 'sala' });
    await page.next('join');
    // Another observer fits within the limit.
    const second = await open();
    await second.next('message');

    const ann = await connect({ name: 'ann' });
    for (const room of ['general', 'sala']) await ann.ok('room.join', { room });
    await page.next('join');
    await ann.ok('message.send', { room: 'general', text: 'not for them' });
    await ann.ok('message.send', { room: 'sala', text: 'for them' });

    expect(await page.next('chat')).toBe('for them');
    await ann.close();
  });

  test('is an observer even if it first requests a user list and joins later', async () => {
    server = await startServer({ PARLANCE_LIMIT_HELLO_TIMEOUT_MS: '5000' });
    const page = await OldPage.open(server.url, 'simple-chat', ['websocket']);
    pages.push(page);
    page.post('chat', { event: 'users' });
    expect(await page.next('chat')).toEqual({ type: 'users', message: 'Users in room: []' });
    // Opened later: when this one is closed without a hello, the deadline of the other has passed too.
    const late = await connect();
    expect((await late.end()).code).toBe(4003);

    page.post('chat', { event: 'join', user: 'Ann', room: 'one' });
    expect(await page.next('chat')).toMatchObject({ type: 'newuser' });
  });

  test('is an observer only up to the limit; others must send hello in time', async () => {
    server = await startServer({
      PARLANCE_LIMIT_OBSERVERS: '1',
      PARLANCE_LIMIT_HELLO_TIMEOUT_MS: '5000',
    });
    const first = await open();
    await first.next('message');
    const second = await open();
    await second.ended();
    expect(first.socket.connected).toBe(true);
    expect(second.heard).toEqual([]);
    first.close();
  });

  test('can still send hello and becomes a normal connection', async () => {
    server = await startServer();
    const page = await open();
    await page.next('message');
    const welcome = await new Promise<{ ok: boolean }>((resolve) => {
      page.socket.emit('hello', { protocol: 1, name: 'modern' }, resolve);
    });
    expect(welcome.ok).toBe(true);
    const ann = await connect({ name: 'ann' });
    await ann.ok('room.join', { room: 'general' });
    await ann.ok('message.send', { room: 'general', text: 'hi' });
    const joined = await new Promise<{ data: { messages: unknown[] } }>((resolve) => {
      page.socket.emit('room.join', { room: 'general' }, resolve);
    });
    expect(joined.data.messages).toHaveLength(1);
    expect(page.rest()).toEqual([]);
    await ann.close();
  });

  test('is not an observer if no enabled dialect has observers', async () => {
    server = await startServer({
      PARLANCE_DIALECTS: 'rooms,simple-chat',
      PARLANCE_LIMIT_HELLO_TIMEOUT_MS: '5000',
    });
    const page = await open();
    await page.ended();
    expect(page.heard).toEqual([]);
  });

  test('is refused the events of a disabled dialect', async () => {
    server = await startServer({ PARLANCE_DIALECTS: 'none' });
    const page = await open();
    page.post('message', 'hi');
    expect(await page.next('error')).toMatchObject({ error: { code: 'unknown_command' } });
  });

  test('is not an observer if it has credentials', async () => {
    server = await startServer();
    const modern = io(server.url, { auth: { name: 'ann' }, forceNew: true });
    const welcome = await new Promise<{ user: { name: string } }>((resolve) => {
      modern.on('welcome', resolve);
    });
    expect(welcome.user.name).toBe('ann');
    const answer = await new Promise((resolve) => modern.emit('message', 'hi', resolve));
    expect(answer).toMatchObject({ ok: false, error: { code: 'unknown_command' } });
    modern.close();
  });
});
