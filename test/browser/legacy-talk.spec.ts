import { randomBytes } from 'node:crypto';

import sharp from 'sharp';

import { copyClients, LEGACY_PAGES, LegacyPage } from './legacy-page.js';
import { inBrowser, TEST_MS } from './scene.js';

/** Side in pixels of an image that needs a larger frame than the protocol allows. */
const SIDE = 180;
const noise = (): Promise<Buffer> =>
  sharp(randomBytes(SIDE * SIDE * 3), { raw: { width: SIDE, height: SIDE, channels: 3 } })
    .png()
    .toBuffer();

inBrowser(
  'messages on the pages of older chat programs',
  (scene) => {
    beforeAll(() => copyClients());

    const open = async (name: string): Promise<LegacyPage> => {
      const url = `${scene.server.url}/${name}.html`;
      const legacy = await LegacyPage.open(scene.context, url);
      await legacy.isOpen();
      return legacy;
    };

    test(
      'appear on all other pages, in the form of each',
      async () => {
        const livechat = await open('livechat');
        const realtime = await open('realtime-chat');
        const broadcast = await open('broadcast');
        const simple = await open('simple-chat');
        const pages = [livechat, realtime, broadcast, simple];
        await simple.submit('room', { user: 'ann', room: 'PARKED' }, 'Join');
        await simple.sees('New User ANN joined room PARKED');

        // A page that has sent nothing yet receives messages only after this line.
        await broadcast.page.locator('#lines li').first().waitFor();

        const texts = pages.map((_, i) => `naïve 😀 number ${String(i)}`);
        for (const [i, text] of texts.entries()) {
          if (pages[i] !== simple) await pages[i]?.say(text);
        }
        await simple.submit('room', {}, 'Leave');
        await simple.say(texts[3] ?? '');

        for (const page of pages) for (const text of texts) await page.sees(text);
        expect(pages.flatMap(({ faults }) => faults)).toEqual([]);
      },
      TEST_MS,
    );

    test(
      'are still there after a reload of livechat',
      async () => {
        const livechat = await open('livechat');
        await livechat.say('before the reload');
        await livechat.sees('before the reload');

        await livechat.page.reload();

        await livechat.sees('before the reload');
      },
      TEST_MS,
    );

    test(
      'reach only pages that have joined the room',
      async () => {
        const ann = await open('rooms');
        const bob = await open('rooms');
        await ann.submit('room', { room: 'lobby' }, 'Join');
        await ann.sees('se unio a la habitacion');
        await bob.say('too early');
        await bob.page.locator('#lines .problem').waitFor();
        await bob.submit('room', { room: 'lobby' }, 'Join');
        await bob.sees('se unio a la habitacion');

        await bob.say('hello from bob');
        await ann.sees('hello from bob');
        await bob.sees('hello from bob');
        await bob.submit('room', { room: 'lobby' }, 'Leave');

        await ann.sees('abandono la habitacion');
        expect(await ann.page.getByText('too early').count()).toBe(0);
      },
      TEST_MS,
    );

    test(
      'can be images in a room of simple-chat',
      async () => {
        const ann = await open('simple-chat');
        const bob = await open('simple-chat');
        await ann.submit('room', { user: 'ann', room: 'Tea time' }, 'Join');
        await ann.sees('New User ANN joined room');
        await bob.submit('room', { user: 'bob', room: 'tea TIME' }, 'Join');
        await ann.sees('New User BOB joined room');
        await ann.submit('room', {}, 'Who is here?');
        await ann.sees("Users in room: ['ANN', 'BOB']");

        const file = { name: 'pixel.png', mimeType: 'image/png', buffer: await noise() };
        await ann.page.locator('[name="file"]').setInputFiles(file);
        await ann.submit('picture', {}, 'Send the image');

        const line = await bob.sees('ANN:');
        const source = await line.locator('img').getAttribute('src');
        expect(source).toMatch(/^data:image\/png;base64,/);
      },
      TEST_MS,
    );
  },
  () => ({ PARLANCE_PAGES_DIR: LEGACY_PAGES }),
);
