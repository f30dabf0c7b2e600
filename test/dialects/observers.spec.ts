import { io } from 'socket.io-client';

import { openWebSocket } from '../support/channels/websocket.channel.js';
import { TestClient } from '../support/client.js';
import { eventually } from '../support/eventually.js';
import { startServer, type TestServer } from '../support/server.js';
import { OldPage } from './old-page.js';

describe('a connection that says nothing', () => {
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

  test('hears the public room, is nobody there, and is not closed', async () => {
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

  test('hears everything once when it begins to post', async () => {
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

  test('is none any more when it joins as a program that does not listen', async () => {
    server = await startServer({ PARLANCE_LIMIT_OBSERVERS: '1' });
    const page = await OldPage.open(server.url, 'rooms', ['websocket']);
    pages.push(page);
    await page.next('message');
    page.post('join', { room: 'sala' });
    await page.next('join');
    // There is place for another.
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

  test('is also one that has asked for a list, and joins later', async () => {
    server = await startServer({ PARLANCE_LIMIT_HELLO_TIMEOUT_MS: '5000' });
    const page = await OldPage.open(server.url, 'simple-chat', ['websocket']);
    pages.push(page);
    page.post('chat', { event: 'users' });
    expect(await page.next('chat')).toEqual({ type: 'users', message: 'Users in room: []' });
    // Opened after it: when this one is closed for want of a hello, that one is late as well.
    const late = await connect();
    expect((await late.end()).code).toBe(4003);

    page.post('chat', { event: 'join', user: 'x'.repeat(33), room: 'one' });
    expect(await page.next('message')).toMatch(/"code": 99/);
    page.post('chat', { event: 'join', user: 'Ann', room: 'one' });
    expect(await page.next('chat')).toMatchObject({ type: 'newuser' });
  });

  test('is one of a limited number; others have to say hello in time', async () => {
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

  test('may still say hello, and is like any other then', async () => {
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

  test('is none when no program that only listens is spoken', async () => {
    server = await startServer({
      PARLANCE_DIALECTS: 'rooms,simple-chat',
      PARLANCE_LIMIT_HELLO_TIMEOUT_MS: '5000',
    });
    const page = await open();
    await page.ended();
    expect(page.heard).toEqual([]);
  });

  test('is refused what it says in a dialect that is switched off', async () => {
    server = await startServer({ PARLANCE_DIALECTS: 'none' });
    const page = await open();
    page.post('message', 'hi');
    expect(await page.next('error')).toMatchObject({ error: { code: 'unknown_command' } });
  });

  test('is none with credentials', async () => {
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
