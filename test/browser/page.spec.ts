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
    'lets two people talk without an error or a warning of the browser',
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
      expect(await ann.isMine('hello from ann')).toBe(true);
      expect(await ann.isMine('hello from bob')).toBe(false);
      expect([...ann.consoleErrors, ...bob.consoleErrors]).toEqual([]);
      expect([...(await ann.violations()), ...(await bob.violations())]).toEqual([]);
    },
    TEST_MS,
  );

  test(
    'shows the history to the same guest after a reload',
    async () => {
      const ann = await scene.tab();
      await ann.rename('ann');
      await ann.write('before the reload');
      await ann.sees('before the reload');
      await ann.reload();
      expect(await ann.isMine('before the reload')).toBe(true);
      await ann.person('ann').waitFor();
      expect(await ann.people(true).count()).toBe(1);
      expect(await ann.name()).toBe('ann');
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
      const older = ann.page.getByRole('button', { name: 'Older messages' });
      await older.click();
      await ann.sees('message 0');
      expect(await ann.texts()).toEqual(all);
      await older.waitFor({ state: 'hidden' });
      await rob.close();
    },
    TEST_MS,
  );

  test(
    'shows messages, names and titles as text only',
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
      expect(await ann.page.getByRole('heading', { level: 1 }).textContent()).toBe(title);
      expect(await ann.page.locator('main :is(img, script, svg, a)').count()).toBe(0);
      expect(await ann.xss()).toBeUndefined();
      expect(await ann.violations()).toEqual([]);
      await rob.close();
    },
    TEST_MS,
  );

  test(
    'has a policy that blocks inline scripts',
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
    'shows edits, deletions and reactions to everyone',
    async () => {
      const ann = await scene.tab();
      const bob = await scene.tab();
      await ann.write('a mistaek');
      await ann.press('a mistaek', 'Edit this message');
      await (await ann.rewrite('a mistake')).press('Enter');
      await bob.page.getByText('a mistake (edited)').waitFor();
      await bob.press('a mistake (edited)', 'React with 👍');
      const one = { name: '👍 1' };
      const reaction = ann.log.getByRole('button', { ...one, pressed: false });
      await reaction.waitFor();
      await bob.log.getByRole('button', { ...one, pressed: true }).click();
      await reaction.waitFor({ state: 'detached' });
      await ann.press('a mistake (edited)', 'Delete this message');
      await bob.sees('This message was deleted.');
      expect(await bob.texts()).toEqual(['This message was deleted.']);
    },
    TEST_MS,
  );

  test(
    'saves the files of a message',
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
    'shows who is online, who is away and who is typing',
    async () => {
      const ann = await scene.tab();
      const bob = await scene.tab();
      await bob.rename('bob');
      await ann.person('bob').waitFor();
      await bob.field.fill('I am wri');
      await ann.page.getByText('bob is typing…').waitFor();
      await bob.page.close();
      await ann.page.getByText('1 away').click();
      await ann.awayPerson('bob').waitFor();
      await ann.page.getByText('1 away').click();
      expect(await ann.person('bob').count()).toBe(0);
    },
    TEST_MS,
  );
});
