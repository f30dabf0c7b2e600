import { TestClient } from '../support/client.js';
import { openWebSocket } from '../support/channels/websocket.channel.js';
import { startServer, type TestServer } from '../support/server.js';
import { OldPage } from './old-page.js';

const TRANSPORTS = [['polling'], ['websocket'], ['polling', 'websocket']];

describe('livechat', () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await startServer();
  });
  afterEach(() => server.dispose());

  const connect = (name: string): Promise<TestClient> =>
    TestClient.connect((to) => openWebSocket(`${server.url}/ws`, to, { hello: { name } }));

  test.each(TRANSPORTS)('posts to the default room [%s, %s]', async (...transports) => {
    const used = transports.filter((name) => name !== undefined);
    const [page, other] = [
      await OldPage.open(server.url, 'livechat', used),
      await OldPage.open(server.url, 'livechat', used),
    ];
    for (const one of [page, other]) {
      one.post('request-all-msgs');
      expect(await one.next('show-all-msgs')).toEqual([]);
    }

    page.post('send-msg', 'hi <b>all</b>');

    expect(await page.next('show-msg')).toBe('hi <b>all</b>');
    expect(await other.next('show-msg')).toBe('hi <b>all</b>');
    page.close();
    other.close();
  });

  test('shows the history, oldest first, even after a restart', async () => {
    const first = await OldPage.open(server.url, 'livechat');
    for (let line = 1; line <= 12; line++) {
      first.post('send-msg', `line ${String(line)}`);
      await first.next('show-msg');
    }
    first.close();
    await server.stop();
    server = await startServer(server.env);

    const page = await OldPage.open(server.url, 'livechat');
    page.post('request-all-msgs');

    const lines = (await page.next('show-all-msgs')) as string[];
    expect(lines).toEqual(Array.from({ length: 12 }, (_, i) => `line ${String(i + 1)}`));
    page.close();
  });

  test('stores every text posted before the server stopped', async () => {
    const page = await OldPage.open(server.url, 'livechat', ['polling']);
    const texts = Array.from({ length: 40 }, (_, i) => String(i));
    for (const text of texts) page.post('send-msg', text);
    // The client sends all but the first in one request, which the server reads as a whole.
    for (const text of texts.slice(0, 2)) expect(await page.next('show-msg')).toBe(text);
    await server.stop();
    server = await startServer(server.env);

    const other = await OldPage.open(server.url, 'livechat');
    other.post('request-all-msgs');

    expect(await other.next('show-all-msgs')).toEqual(texts);
    page.close();
    other.close();
  });

  test('shows the newest messages up to the configured number', async () => {
    await server.dispose();
    server = await startServer({ PARLANCE_LEGACY_HISTORY: '250' });
    const ann = await connect('ann');
    await ann.ok('room.join', { room: 'general' });
    for (let line = 1; line <= 260; line++) {
      await ann.ok('message.send', { room: 'general', text: String(line) });
    }

    const page = await OldPage.open(server.url, 'livechat');
    page.post('request-all-msgs');

    const lines = (await page.next('show-all-msgs')) as string[];
    expect(lines).toEqual(Array.from({ length: 250 }, (_, i) => String(i + 11)));
    page.close();
    await ann.close();
  });

  test('shows the newest messages up to the maximum number of pages', async () => {
    await server.dispose();
    server = await startServer({ PARLANCE_LIMIT_HISTORY_PAGE_MAX: '1' });
    const ann = await connect('ann');
    await ann.ok('room.join', { room: 'general' });
    for (let line = 1; line <= 52; line++) {
      await ann.ok('message.send', { room: 'general', text: String(line) });
    }

    const page = await OldPage.open(server.url, 'livechat');
    page.post('request-all-msgs');

    const lines = (await page.next('show-all-msgs')) as string[];
    expect(lines).toEqual(Array.from({ length: 50 }, (_, i) => String(i + 3)));
    page.close();
    await ann.close();
  });

  test('limits the bytes of a history, so that the next message still fits', async () => {
    const ann = await connect('ann');
    await ann.ok('room.join', { room: 'general' });
    for (let i = 0; i < 60; i++) {
      const text = `${String(i)} ${'€'.repeat(3_990)}`;
      await ann.ok('message.send', { room: 'general', text });
    }
    const page = await OldPage.open(server.url, 'livechat');
    page.post('request-all-msgs');
    page.post('send-msg', 'still here');

    const lines = (await page.next('show-all-msgs')) as string[];
    expect(lines.length).toBeGreaterThan(20);
    expect(lines.length).toBeLessThan(60);
    expect(lines.at(-1)).toMatch(/^59 /);
    expect(await page.next('show-msg')).toBe('still here');
    page.close();
    await ann.close();
  });

  test('receives an acknowledged error for an unknown event', async () => {
    const page = await OldPage.open(server.url, 'livechat');
    page.post('send-msg', 'hi');
    await page.next('show-msg');
    const answer = await new Promise((resolve) => page.socket.emit('fly', {}, resolve));
    expect(answer).toMatchObject({ ok: false, error: { code: 'unknown_command' } });
    expect(page.rest()).toEqual([]);
    page.close();
  });

  test('omits deleted messages and shows edited ones in their new form', async () => {
    const ann = await connect('ann');
    await ann.ok('room.join', { room: 'general' });
    const sent = [];
    for (const text of ['stays', 'goes', 'chnages']) {
      sent.push((await ann.ok('message.send', { room: 'general', text })).message.id);
    }
    await ann.ok('message.delete', { room: 'general', message: sent[1] ?? '' });
    await ann.ok('message.edit', { room: 'general', message: sent[2] ?? '', text: 'changes' });

    const page = await OldPage.open(server.url, 'livechat');
    page.post('request-all-msgs');

    expect(await page.next('show-all-msgs')).toEqual(['stays', 'changes']);
    page.close();
    await ann.close();
  });

  test('receives an error event and can continue', async () => {
    const page = await OldPage.open(server.url, 'livechat');
    for (const wrong of [{ text: 'hi' }, 7, null, '', ' ', ['a']]) {
      page.post('send-msg', wrong);
      expect(await page.next('error')).toMatchObject({ code: 'invalid', retryable: false });
    }
    page.post('send-msg', 'x'.repeat(4_001));
    expect(await page.next('error')).toMatchObject({ code: 'too_long' });
    page.post('send-msg');
    expect(await page.next('error')).toMatchObject({ code: 'invalid' });
    page.post('send-msg', 'right');
    expect(await page.next('show-msg')).toBe('right');
    page.close();
  });

  test('receives an error when it exceeds the rate', async () => {
    await server.dispose();
    server = await startServer({
      PARLANCE_LIMIT_MESSAGES_BURST: '2',
      PARLANCE_LIMIT_MESSAGES_PER_SECOND: '1',
    });
    const page = await OldPage.open(server.url, 'livechat');
    for (const text of ['one', 'two', 'three']) page.post('send-msg', text);

    expect(await page.next('show-msg')).toBe('one');
    expect(await page.next('show-msg')).toBe('two');
    expect(await page.next('error')).toMatchObject({ code: 'rate_limited', retryable: true });
    page.close();
  });
});
