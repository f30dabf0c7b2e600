import { readFile } from 'node:fs/promises';

import { uploaded } from '../support/uploads.js';
import { inBrowser, TEST_MS } from './scene.js';

const PAYLOADS = [
  '<img src=x onerror="window.__xss=1">',
  '<script>window.__xss=1</script>',
  '"><svg onload=window.__xss=1>',
  'javascript:window.__xss=1',
  '&lt;b&gt;{{1+1}}${window.__xss=1}',
] as const;

inBrowser('the page', (scene) => {
  test(
    'lets two tabs talk as two guests, without a complaint of the browser',
    async () => {
      const ann = await scene.tab();
      const bob = await scene.tab();
      await ann.rename('ann');
      await bob.rename('bob');
      await ann.write('hello from ann');
      await bob.sees('hello from ann');
      await bob.write('hello from bob');
      await ann.sees('hello from bob');
      await bob.sees('hello from bob');
      const said = ['hello from ann', 'hello from bob'];
      expect(await ann.texts()).toEqual(said);
      expect(await bob.texts()).toEqual(said);
      expect(await ann.page.locator('#messages .mine .name').allTextContents()).toEqual(['ann']);
      expect([...ann.complaints, ...bob.complaints]).toEqual([]);
      expect([...(await ann.violations()), ...(await bob.violations())]).toEqual([]);
    },
    TEST_MS,
  );

  test(
    'has the history and the same person after a reload',
    async () => {
      const ann = await scene.tab();
      await ann.rename('ann');
      await ann.write('before the reload');
      await ann.sees('before the reload');
      await ann.reload();
      const entry = await ann.sees('before the reload');
      expect(await entry.getAttribute('class')).toContain('mine');
      await ann.person('ann').waitFor();
      expect(await ann.page.locator('#people li').count()).toBe(1);
      expect(await ann.page.inputValue('#name')).toBe('ann');
    },
    TEST_MS,
  );

  test(
    'shows older messages on demand, in their order',
    async () => {
      const rob = await scene.client();
      await rob.ok('room.join', { room: 'general' });
      const all = Array.from({ length: 70 }, (_, i) => `message ${String(i)}`);
      for (const text of all) await rob.ok('message.send', { room: 'general', text });
      const ann = await scene.tab();
      expect(await ann.texts()).toEqual(all.slice(20));
      await ann.page.click('#older');
      await ann.sees('message 0');
      expect(await ann.texts()).toEqual(all);
      await ann.page.locator('#older').waitFor({ state: 'hidden' });
      await rob.close();
    },
    TEST_MS,
  );

  test(
    'shows what others write as text and nothing else',
    async () => {
      const rob = await scene.client('<img src=x onerror=__xss=1>');
      const title = '<svg onload=window.__xss=1>';
      await rob.ok('room.create', { room: 'traps', title });
      const ann = await scene.tab('/?room=traps');
      for (const text of PAYLOADS) {
        const { message } = await rob.ok('message.send', { room: 'traps', text, cid: text });
        await ann.sees(text);
        const emoji = '<svg/onload=__xss=1>';
        await rob.ok('message.react', { room: 'traps', message: message.id, emoji });
      }
      await ann.write(PAYLOADS[0]);
      await rob.event('message.created', ({ message }) => message.sender.name.startsWith('guest'));
      await ann.reload();
      await ann.sees(PAYLOADS[4]);
      expect(await ann.page.textContent('#title')).toBe(title);
      expect(await ann.page.locator('main :is(img, script, svg, a), #side svg').count()).toBe(0);
      expect(await ann.xss()).toBeUndefined();
      expect(await ann.violations()).toEqual([]);
      await rob.close();
    },
    TEST_MS,
  );

  test(
    'is under a policy that lets no script in',
    async () => {
      const ann = await scene.tab();
      await ann.page.evaluate(`
        const script = document.createElement('script');
        script.textContent = 'window.__xss = 1';
        document.body.append(script);
      `);
      await ann.page.waitForFunction('window.__violations.length > 0');
      expect(await ann.xss()).toBeUndefined();
    },
    TEST_MS,
  );

  test(
    'shows edits, deletions and reactions on all sides',
    async () => {
      const ann = await scene.tab();
      const bob = await scene.tab();
      await ann.write('a mistaek');
      await ann.press('a mistaek', 'Edit this message');
      await ann.page.fill('#messages .edit textarea', 'a mistake');
      await ann.page.press('#messages .edit textarea', 'Enter');
      await bob.page.getByText('a mistake (edited)').waitFor();
      await bob.press('a mistake (edited)', 'React with 👍');
      const reaction = ann.page.locator('#messages .reaction', { hasText: '👍' });
      await reaction.waitFor();
      expect(await reaction.getAttribute('aria-pressed')).toBe('false');
      await bob.page.locator('#messages .reaction[aria-pressed="true"]').click();
      await reaction.waitFor({ state: 'detached' });
      await ann.press('a mistake (edited)', 'Delete this message');
      await bob.sees('This message was deleted.');
      expect(await bob.texts()).toEqual(['This message was deleted.']);
    },
    TEST_MS,
  );

  test(
    'has the files of a message to be saved',
    async () => {
      const ann = await scene.tab();
      const rob = await scene.client();
      await rob.ok('room.join', { room: 'general' });
      const name = '<b>plan</b>.html';
      const { id } = await uploaded(scene.server.url, rob, Buffer.from('<script>'), { name });
      await rob.ok('message.send', { room: 'general', files: [id] });
      const saving = ann.page.waitForEvent('download');
      await ann.page.getByRole('button', { name }).click();
      const saved = await saving;
      expect(await readFile(await saved.path(), 'utf8')).toBe('<script>');
      expect(await ann.violations()).toEqual([]);
      await rob.close();
    },
    TEST_MS,
  );

  test(
    'tells who is here, who has gone and who is writing',
    async () => {
      const ann = await scene.tab();
      const bob = await scene.tab();
      await bob.rename('bob');
      await ann.person('bob').waitFor();
      await bob.page.fill('#text', 'I am wri');
      await ann.page.getByText('bob is writing…').waitFor();
      await bob.page.close();
      await ann.absentPerson('bob').waitFor({ state: 'attached' });
      expect(await ann.person('bob').count()).toBe(0);
    },
    TEST_MS,
  );

  test(
    'says what is wrong with a room that cannot be',
    async () => {
      const page = await scene.context.newPage();
      await page.goto(`${scene.server.url}/?room=no%20spaces`);
      await page.getByRole('alert').filter({ hasText: 'A room name has' }).waitFor();
    },
    TEST_MS,
  );
});
