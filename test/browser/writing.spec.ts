import { eventually } from '../support/eventually.js';
import { inBrowser, TEST_MS } from './scene.js';
import { Tab } from './tab.js';

/** Enter as Safari reports it right after a composition ended. */
const AFTER_COMPOSITION = { key: 'Enter', keyCode: 229, isComposing: false, bubbles: true };

inBrowser(
  'the page, when somebody writes',
  (scene) => {
    test(
      'neither sends nor saves on the Enter that ends a composition (keyCode 229)',
      async () => {
        const ann = await scene.tab();
        await ann.field.fill('にほn');
        await ann.field.dispatchEvent('keydown', AFTER_COMPOSITION);
        expect(await ann.field.inputValue()).toBe('にほn');
        await ann.write('日本');
        await ann.sees('日本');
        await ann.press('日本', 'Edit this message');
        const field = await ann.rewrite('にほn');
        await field.dispatchEvent('keydown', AFTER_COMPOSITION);
        await field.dispatchEvent('keydown', { ...AFTER_COMPOSITION, key: 'Escape' });
        expect(await field.inputValue()).toBe('にほn');
        await field.press('Escape');
        await ann.sees('日本');
        expect(await ann.texts()).toEqual(['日本']);
      },
      TEST_MS,
    );

    test.each([
      { width: 1280, height: 800 },
      { width: 390, height: 844 },
    ])(
      'has Save and Cancel in view when the latest message is edited ($width x $height)',
      async (viewport) => {
        const context = await scene.person({ viewport });
        const rob = await scene.client();
        await rob.ok('room.join', { room: 'general' });
        for (let i = 0; i < 30; i++) {
          await rob.ok('message.send', { room: 'general', text: `message ${String(i)}` });
        }
        const ann = await Tab.open(context, `${scene.server.url}/`);
        await ann.write('the latest');
        await ann.press('the latest', 'Edit this message');
        for (const name of ['Save', 'Cancel']) {
          const button = ann.log.getByRole('button', { name, exact: true });
          await eventually(() => isInView(ann, button), `${name} in view`);
        }
        await (await ann.rewrite('the very latest')).press('Enter');
        await ann.sees('the very latest (edited)');
        await rob.close();
      },
      TEST_MS,
    );

    test(
      'shows at the field that Team Chat is not a valid room name, and offers one that is',
      async () => {
        const ann = await scene.tab();
        await ann.write('still here');
        const field = ann.page.getByRole('textbox', { name: 'Room name' });
        await field.fill('Team Chat');
        await field.press('Enter');
        const alert = await ann.seesAlert('A room name must have');
        expect(await field.getAttribute('aria-invalid')).toBe('true');
        await ann.sees('still here');
        await alert.getByRole('button', { name: 'Open team-chat' }).click();
        await ann.page.waitForURL('**/?room=team-chat');
        await ann.inRoom();
      },
      TEST_MS,
    );

    test(
      'sends nothing to a room whose name is not valid',
      async () => {
        const ann = await Tab.load(scene.context, `${scene.server.url}/?room=Team%20Chat`);
        const alert = await ann.seesAlert('A room name must have');
        expect(await ann.field.isEditable()).toBe(false);
        expect(await ann.page.getByRole('button', { name: 'Send' }).isDisabled()).toBe(true);
        await alert.getByRole('button', { name: 'Open team-chat' }).click();
        await ann.inRoom();
        await ann.write('in the room');
        await ann.sees('in the room');
      },
      TEST_MS,
    );

    test(
      'keeps /nosuchcommand in the field, tells only the sender, and sends it as text on request',
      async () => {
        const ann = await scene.tab();
        const rob = await scene.client();
        await rob.ok('room.join', { room: 'general' });
        await ann.write('/nosuchcommand at all');
        const alert = await ann.seesAlert(
          /No bot in this room has the command \/nosuchcommand.*\/roll/,
        );
        expect(await ann.field.inputValue()).toBe('/nosuchcommand at all');
        await ann.field.fill('/roll d1');
        await ann.field.press('Enter');
        await rob.event('message.created', ({ message }) => message.text === '/roll d1');
        await ann.write('/usr/bin is a path');
        await ann.sees('/usr/bin is a path');
        expect((await ann.texts()).filter((text) => text.startsWith('/nosuch'))).toEqual([]);

        await ann.write('/nosuchcommand');
        await alert.getByRole('button', { name: 'Send as text' }).click();
        await ann.sees('/nosuchcommand');
        expect(await ann.field.inputValue()).toBe('');
        await rob.event('message.created', ({ message }) => message.text === '/nosuchcommand');
        await rob.close();
      },
      TEST_MS,
    );

    test(
      'sends /shrug in a room without bots',
      async () => {
        const rob = await scene.client();
        await rob.ok('room.create', { room: 'alone' });
        await rob.ok('bot.remove', { room: 'alone', bot: 'dice' });
        const ann = await scene.tab('/?room=alone');
        await ann.write('/shrug');
        await ann.sees('/shrug');
        await rob.close();
      },
      TEST_MS,
    );
  },
  () => ({ PARLANCE_ROOM_BOTS: 'dice' }),
);

/** Returns whether an element is completely within the log, where a person can press it. */
async function isInView(tab: Tab, element: ReturnType<Tab['page']['locator']>): Promise<boolean> {
  const [inner, outer] = await Promise.all([element.boundingBox(), tab.log.boundingBox()]);
  if (inner === null || outer === null) return false;
  return inner.y >= outer.y && inner.y + inner.height <= outer.y + outer.height;
}
