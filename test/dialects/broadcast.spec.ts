import { startServer, type TestServer } from '../support/server.js';
import { OldPage } from './old-page.js';

const TRANSPORTS = [['polling'], ['websocket'], ['polling', 'websocket']];

describe('dialects of one room whose clients may only listen', () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await startServer();
  });
  afterEach(() => server.dispose());

  test.each(TRANSPORTS)(
    'broadcast is welcomed, posts and is answered [%s, %s]',
    async (...transports) => {
      const used = transports.filter((name) => name !== undefined);
      const page = await OldPage.open(server.url, 'broadcast', used);
      const quick = await OldPage.open(server.url, 'broadcast', used);
      quick.post('message', 'at once');
      expect(await quick.next('message')).toMatch(/^Welcome/);
      expect(await quick.next('custom_response')).toEqual({
        message: 'at once',
        seq: expect.any(Number) as number,
      });
      expect(await quick.next('message')).toBe('at once');
      // A silent page receives the posts from before it was detected as an observer.
      expect(await page.next('message')).toMatch(/^Welcome/);
      quick.post('message', 'later');
      for (const text of ['at once', 'later']) {
        expect(await page.next('show-msg')).toBe(text);
        expect(await page.next('message receive')).toEqual({
          client: expect.stringMatching(/^guest-/) as string,
          message: text,
        });
        expect(await page.next('message')).toBe(text);
      }
      page.post('message', 'me too');
      expect(await page.next('custom_response')).toMatchObject({ message: 'me too' });
      expect(await page.next('message')).toBe('me too');
      for (const wrong of [{}, null, 5, '']) {
        page.post('message', wrong);
        expect(await page.next('custom_response')).toMatchObject({ error: { code: 'invalid' } });
      }
      page.close();
      quick.close();
    },
  );

  test.each(TRANSPORTS)(
    'realtime-chat receives names and texts [%s, %s]',
    async (...transports) => {
      const used = transports.filter((name) => name !== undefined);
      const page = await OldPage.open(server.url, 'realtime-chat', used);
      page.post('message broadcast', { message: 'one' });
      const { client } = (await page.next('message receive')) as { client: string };
      page.post('message broadcast', { data: 'two' });
      expect(await page.next('message receive')).toEqual({ client, message: 'two' });
      for (const wrong of [{}, null, 'text', { message: 5 }, { data: [] }]) {
        page.post('message broadcast', wrong);
        expect(await page.next('error')).toMatchObject({ code: 'invalid' });
      }
      page.close();
    },
  );
});
