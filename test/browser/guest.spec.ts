import { readFile } from 'node:fs/promises';

import { eventually } from '../support/eventually.js';
import { ReverseProxy } from '../support/reverse-proxy.js';
import { startServer } from '../support/server.js';
import { uploaded } from '../support/uploads.js';
import { inBrowser, TEST_MS } from './scene.js';
import { Tab } from './tab.js';

/** Browsers have no locks in a page that another host serves over plain HTTP. */
const HIDE_LOCKS = `Object.defineProperty(navigator, 'locks', { value: undefined });`;

inBrowser('the page, in one browser', (scene) => {
  test(
    'stays the same guest after a reload, in a second tab, and when it is opened again',
    async () => {
      const ann = await scene.tab();
      await ann.rename('ann');
      await ann.write('from the first tab');
      await ann.reload();
      const second = await ann.beside();
      await second.write('from the second tab');
      await ann.sees('from the second tab');
      await ann.page.close();
      const third = await second.beside();
      await second.page.close();

      expect(await third.name()).toBe('ann');
      expect(await third.isMine('from the first tab')).toBe(true);
      expect(await third.isMine('from the second tab')).toBe(true);
      expect(await third.people(true).count()).toBe(1);
    },
    TEST_MS,
  );

  test(
    'creates one guest when several tabs open at once',
    async () => {
      const url = `${scene.server.url}/`;
      const tabs = await Promise.all([1, 2, 3].map(() => Tab.open(scene.context, url)));

      const names = await Promise.all(tabs.map((tab) => tab.name()));
      expect(new Set(names).size).toBe(1);
      expect(await tabs[0]?.people(true).count()).toBe(1);
    },
    TEST_MS,
  );

  test(
    'agrees on one guest in a browser without locks',
    async () => {
      await scene.context.addInitScript(HIDE_LOCKS);
      const url = `${scene.server.url}/`;
      const tabs = await Promise.all([1, 2, 3].map(() => Tab.open(scene.context, url)));

      const names = () => Promise.all(tabs.map((tab) => tab.name()));
      await eventually(async () => new Set(await names()).size === 1, 'one guest in all tabs');
    },
    TEST_MS,
  );

  test(
    'becomes another guest of the same name in all tabs when its token is refused',
    async () => {
      const ann = await scene.tab();
      await ann.rename('ann');
      const second = await ann.beside();
      await scene.server.dispose();
      await Promise.all([ann.isDisconnected(), second.isDisconnected()]);
      scene.server = await startServer({ PORT: String(scene.server.port) });
      await Promise.all([ann.connectNow(), second.connectNow()]);
      await Promise.all([ann.inRoom(), second.inRoom()]);

      await second.write('from the second tab');
      await eventually(() => ann.isMine('from the second tab'), 'the same guest in both tabs');
      expect(await ann.name()).toBe('ann');
      expect(await second.name()).toBe('ann');
    },
    TEST_MS,
  );

  test(
    'has its own guest in one tab on request, until that guest is ended',
    async () => {
      const ann = await scene.tab();
      await ann.rename('ann');
      await ann.write('from ann');
      const second = await ann.beside();
      await second.page.getByRole('button', { name: 'New guest' }).click();
      await second.person('ann').waitFor();
      await eventually(async () => (await second.name()) !== 'ann', 'another guest');
      await second.rename('bob');
      await second.reload();
      expect(await second.name()).toBe('bob');
      expect(await second.isMine('from ann')).toBe(false);
      await ann.reload();
      expect(await ann.name()).toBe('ann');

      await second.page.getByRole('button', { name: 'End this guest' }).click();
      await eventually(async () => (await second.name()) === 'ann', 'the guest of the browser');
      expect(await second.isMine('from ann')).toBe(true);
    },
    TEST_MS,
  );

  test(
    'works below several paths of a proxy, with one guest for each path',
    async () => {
      const proxy = await ReverseProxy.start(scene.server.url, {
        folders: ['/team/chat', '/other'],
      });
      const ann = await Tab.open(scene.context, `${proxy.url}/team/chat`);
      await ann.rename('ann');
      const rob = await scene.client();
      await rob.ok('room.join', { room: 'general' });
      const file = await uploaded(scene.server.url, rob, Buffer.from('a plan'), {
        name: 'plan.txt',
      });
      await rob.ok('message.send', { room: 'general', files: [file.id] });
      const saving = ann.page.waitForEvent('download');
      await ann.page.getByRole('button', { name: 'plan.txt' }).click();
      expect(await readFile(await (await saving).path(), 'utf8')).toBe('a plan');
      const docs = await ann.beside(`${proxy.url}/team/chat/?room=other-room`);
      await docs.page.getByRole('link', { name: 'The protocol' }).click();
      await docs.page.getByText('# Parlance').waitFor();
      const elsewhere = await ann.beside(`${proxy.url}/other/`);

      expect(await elsewhere.name()).not.toBe('ann');
      expect(await ann.violations()).toEqual([]);
      await rob.close();
      await proxy.close();
    },
    TEST_MS,
  );
});
