import { startServer, type TestServer } from '../support/server.js';
import { OldPage } from './old-page.js';

const WAYS = [['polling'], ['websocket'], ['polling', 'websocket']];

describe('programs of one room that only listen at first', () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await startServer();
  });
  afterEach(() => server.dispose());

  test.each(WAYS)(
    'broadcast is welcomed, posts and is answered [%s, %s]',
    async (...transports) => {
      const ways = transports.filter((way) => way !== undefined);
      const page = await OldPage.open(server.url, 'broadcast', ways);
      const quick = await OldPage.open(server.url, 'broadcast', ways);
      quick.post('message', 'at once');
      expect(await quick.next('message')).toMatch(/^Welcome/);
      expect(await quick.next('custom_response')).toEqual({
        message: 'at once',
        seq: expect.any(Number) as number,
      });
      expect(await quick.next('message')).toBe('at once');
      // Who says nothing is known for a listener after a second.
      expect(await page.next('message')).toMatch(/^Welcome/);
      page.rest();
      quick.post('message', 'later');
      expect(await page.next('show-msg')).toBe('later');
      expect(await page.next('message receive')).toEqual({
        client: expect.stringMatching(/^guest-/) as string,
        message: 'later',
      });
      expect(await page.next('message')).toBe('later');
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

  test.each(WAYS)('realtime chat hears names and texts [%s, %s]', async (...transports) => {
    const ways = transports.filter((way) => way !== undefined);
    const page = await OldPage.open(server.url, 'realtime-chat', ways);
    page.post('message broadcast', { message: 'one' });
    const { client } = (await page.next('message receive')) as { client: string };
    page.post('message broadcast', { data: 'two' });
    expect(await page.next('message receive')).toEqual({ client, message: 'two' });
    for (const wrong of [{}, null, 'text', { message: 5 }, { data: [] }]) {
      page.post('message broadcast', wrong);
      expect(await page.next('error')).toMatchObject({ code: 'invalid' });
    }
    page.close();
  });
});
