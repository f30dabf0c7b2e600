import { Network } from './pass-through.js';
import { inBrowser, TEST_MS } from './scene.js';

inBrowser('the page, with a message that is not sent yet', (scene) => {
  test(
    'keeps it and a draft for each room over a reload and a change of room, and sends it once',
    async () => {
      const network = new Network();
      const ann = await scene.tab('/', network.prepare);
      await ann.rename('ann');
      await network.cut();
      await ann.isDisconnected();
      await ann.write('written meanwhile');
      await ann.field.fill('a draft for general');

      await ann.page.reload();
      await ann.isDisconnected();
      expect(await ann.unsent()).toEqual(['written meanwhile']);
      expect(await ann.field.inputValue()).toBe('a draft for general');

      await ann.page.getByRole('textbox', { name: 'Room name' }).fill('other');
      await ann.page.keyboard.press('Enter');
      await ann.page.waitForURL('**/?room=other');
      await ann.page
        .getByRole('listitem')
        .filter({ hasText: /general.*1 not sent/ })
        .waitFor();
      expect(await ann.unsent()).toEqual([]);
      expect(await ann.field.inputValue()).toBe('');
      await ann.field.fill('a draft for the other room');

      const rob = await scene.client();
      await rob.ok('room.join', { room: 'general' });
      network.repair();
      await ann.connectNow();
      await rob.event('message.created', ({ message }) => message.text === 'written meanwhile');
      await ann.inRoom();
      await ann.page.getByRole('link', { name: 'general' }).click();
      await ann.page.waitForURL('**/?room=general');
      await ann.inRoom();
      expect(await ann.texts()).toEqual(['written meanwhile']);
      expect(await ann.unsent()).toEqual([]);
      expect(await ann.field.inputValue()).toBe('a draft for general');
      await ann.page.goto(`${scene.server.url}/?room=Other`);
      await ann.inRoom();
      expect(await ann.field.inputValue()).toBe('a draft for the other room');
      await rob.close();
    },
    TEST_MS,
  );

  test(
    'sends it with its first cid after a reload, although the server had stored it',
    async () => {
      const cids: unknown[] = [];
      let isHeldBack = true;
      const network = new Network({
        fromPage: ({ cmd, data }) => {
          if (cmd === 'message.send') cids.push((data as { cid: string }).cid);
        },
        // Drops the reply and the event of the message.
        fromServer: (frame) => !isHeldBack || !JSON.stringify(frame).includes('stored'),
      });
      const ann = await scene.tab('/', network.prepare);
      const rob = await scene.client();
      await rob.ok('room.join', { room: 'general' });
      await ann.write('stored, but not answered');
      await rob.event('message.created', () => true);
      await network.cut();
      await ann.isDisconnected();
      await ann.page.reload();
      await ann.isDisconnected();
      expect(await ann.unsent()).toEqual(['stored, but not answered']);

      isHeldBack = false;
      network.repair();
      await ann.connectNow();
      await ann.inRoom();
      await ann.hasSentAll();
      expect(await ann.texts()).toEqual(['stored, but not answered']);
      expect(new Set(cids).size).toBe(1);
      const { messages } = await rob.ok('message.history', { room: 'general', limit: 10 });
      expect(messages).toHaveLength(1);
      await rob.close();
    },
    TEST_MS,
  );
});
