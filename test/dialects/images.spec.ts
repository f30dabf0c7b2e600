import sharp from 'sharp';

import { openWebSocket } from '../support/channels/websocket.channel.js';
import { TestClient } from '../support/client.js';
import { startServer, type TestServer } from '../support/server.js';
import { OldPage } from './old-page.js';

const TRANSPORTS = [['polling'], ['websocket'], ['polling', 'websocket']];
const joined = (user: string) => ({ type: 'newuser', message: `New User ${user} joined room one` });

/** Returns an incompressible PNG of about the given size in bytes. */
async function noise(bytes: number): Promise<Buffer> {
  const side = Math.floor(Math.sqrt(bytes / 3));
  const raw = Buffer.alloc(side * side * 3);
  for (let i = 0, x = 1; i < raw.length; i++) {
    x = (Math.imul(x, 1_664_525) + 1_013_904_223) >>> 0;
    raw[i] = x >>> 24;
  }
  return sharp(raw, { raw: { width: side, height: side, channels: 3 } })
    .png()
    .toBuffer();
}

const dataUrl = (bytes: Buffer, type = 'image/png') =>
  `data:${type};base64,${bytes.toString('base64')}`;

/** Decodes the image of a simple-chat payload. */
function bytesOf(payload: unknown): Buffer {
  const { bimage } = payload as { bimage: string };
  expect(bimage.length).toBeLessThanOrEqual(262_144);
  expect(bimage).toMatch(/^data:image\/(png|webp);base64,/);
  return Buffer.from(bimage.slice(bimage.indexOf(',') + 1), 'base64');
}

describe('images of simple-chat', () => {
  let server: TestServer;
  const pages: OldPage[] = [];
  beforeEach(async () => {
    server = await startServer();
  });
  afterEach(async () => {
    for (const page of pages.splice(0)) page.close();
    await server.dispose();
  });

  async function join(user: string, transports?: readonly string[]): Promise<OldPage> {
    const page = await OldPage.open(server.url, 'simple-chat', transports);
    pages.push(page);
    page.post('chat', { event: 'join', user, room: 'one' });
    expect(await page.next('chat')).toEqual(joined(user));
    return page;
  }

  async function connect(name: string): Promise<TestClient> {
    const client = await TestClient.connect((to) =>
      openWebSocket(`${server.url}/ws`, to, { hello: { name } }),
    );
    await client.ok('room.join', { room: 'one' });
    return client;
  }

  test.each(TRANSPORTS)(
    'of up to 1 MB pass, as previews if they are large [%s, %s]',
    async (...transports) => {
      const used = transports.filter((name) => name !== undefined);
      const ann = await join('Ann', used);
      const bob = await join('Bob', used);
      await ann.next('chat');
      const cid = await connect('Cid');
      await ann.next('chat');
      await bob.next('chat');
      for (const size of [3_000, 1_040_000]) {
        const bytes = await noise(size);
        const { width } = await sharp(bytes).metadata();

        ann.post('chat', { event: 'image', room: 'one', bimage: dataUrl(bytes) });
        ann.post('chat', { event: 'chat', room: 'one', text: 'after it' });

        const heard = await bob.next('chat');
        expect(heard).toMatchObject({ type: 'image', from: 'ANN' });
        const shown = await sharp(bytesOf(heard)).metadata();
        expect(shown.width).toBe(Math.min(width, size > 10_000 ? 480 : width));
        expect(await bob.next('chat')).toMatchObject({ type: 'chat', message: 'after it' });
        const { message } = await cid.event(
          'message.created',
          ({ message: { text } }) => text === '',
        );
        expect(message.attachments).toMatchObject([{ type: 'image/png', width, height: width }]);
      }
      await cid.close();
    },
  );

  test('from clients of the protocol arrive after the text of their message', async () => {
    const ann = await join('Ann');
    const cid = await connect('Cid');
    await ann.next('chat');
    const data = (await noise(9_000)).toString('base64');
    await cid.ok('message.send', { room: 'one', text: 'look', image: { data, name: 'x.png' } });
    await cid.ok('message.send', { room: 'one', text: 'well?' });

    expect(await ann.next('chat')).toEqual({ type: 'chat', from: 'CID', message: 'look' });
    const image = await ann.next('chat');
    expect(image).toMatchObject({ type: 'image', from: 'CID' });
    expect((await sharp(bytesOf(image)).metadata()).width).toBe(54);
    expect(await ann.next('chat')).toEqual({ type: 'chat', from: 'CID', message: 'well?' });
    await cid.close();
  });

  test('are refused if they are malformed or too large', async () => {
    const ann = await join('Ann');
    const bob = await join('Bob');
    await ann.next('chat');
    const large = await noise(1_100_000);
    const wrong = [
      undefined,
      5,
      '',
      'text',
      'data:image/png;base64,',
      'data:text/plain;base64,aGVsbG8=',
      dataUrl(Buffer.from('no image at all')),
      dataUrl(Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'), 'image/svg+xml'),
      dataUrl(large.subarray(0, 5_000)),
      dataUrl(large),
    ];
    for (const bimage of wrong) {
      ann.post('chat', { event: 'image', room: 'one', bimage });
      expect(await ann.next('message')).toMatch(/^\{"code": 99, "message": ".+"\}$/);
    }
    ann.post('chat', { event: 'chat', room: 'one', text: 'never mind' });
    expect(await bob.next('chat')).toMatchObject({ type: 'chat', message: 'never mind' });
    expect(bob.rest()).toEqual([]);
  });

  test('are refused from other dialects and before joining', async () => {
    const bimage = dataUrl(await noise(200_000));
    const stranger = await OldPage.open(server.url, 'simple-chat', ['websocket']);
    stranger.post('chat', { event: 'image', room: 'one', bimage });
    await stranger.ended('the page that has not joined');
    const other = await OldPage.open(server.url, 'rooms', ['websocket']);
    other.post('join', { room: 'one' });
    await other.next('join');
    other.post('chat', { room: 'one', message: bimage });
    await other.ended('the other page');
    const polling = await OldPage.open(server.url, 'simple-chat', ['polling']);
    polling.post('chat', { event: 'image', room: 'one', bimage });
    await polling.ended('the polling page');
    const ann = await join('Ann');
    ann.post('chat', { event: 'image', room: 'one', bimage: 'x'.repeat(2_000_000) });
    await ann.ended('ann');
  });
});
