import { Writer } from '#src/database/writer.js';
import { DEFAULT_SCOPES } from '#src/protocol/bots.js';
import { registerBot } from '#src/users/bot-accounts.js';

import { ALL_CARRIERS, Scene } from './scene.js';

const ROOM = 'remote';
const BOT = { name: 'remote', about: '', scopes: [...DEFAULT_SCOPES, 'messages:read' as const] };

let scene: Scene;
beforeEach(async () => {
  scene = await Scene.start();
});
afterEach(() => scene.dispose());

describe.each(ALL_CARRIERS)('a bot over %s', (carrier) => {
  test('delivers the events that the server sends, and again those that it did not acknowledge', async () => {
    const { app } = scene.server;
    const token = await app.get(Writer).run([], ({ manager }) => registerBot(manager, BOT));
    const rob = await scene.bystander();
    await rob.ok('room.join', { room: ROOM, create: true });
    await rob.ok('bot.add', { room: ROOM, bot: 'remote', scopes: BOT.scopes });
    const say = async (text: string) => {
      return (await rob.ok('message.send', { room: ROOM, text })).message.seq;
    };
    const bot = scene.chat(carrier, { token, hello: { bot: { inFlight: 8 } } });
    const { user } = await bot.chat.ready();
    const seqs = [await say('one'), await say('two'), await say('three')] as const;
    await bot.untilEvent(ROOM, seqs[2]);
    await bot.chat.call('bot.ack', { room: ROOM, seq: seqs[0] });
    scene.proxy.cut();
    await bot.untilStatus('waiting');
    scene.proxy.repair();
    await bot.until(() => bot.seqs(ROOM).length === 5, 'the events once more');

    expect(user.name).toBe('remote');
    expect(bot.seqs(ROOM)).toEqual([...seqs, seqs[1], seqs[2]]);
    expect(bot.gaps).toEqual([]);
    expect(bot.chat.positions).toEqual({});
  });

  test('delivers alarms', async () => {
    const { app } = scene.server;
    const token = await app.get(Writer).run([], ({ manager }) => registerBot(manager, BOT));
    const rob = await scene.bystander();
    await rob.ok('room.join', { room: ROOM, create: true });
    await rob.ok('bot.add', { room: ROOM, bot: 'remote' });
    const bot = scene.chat(carrier, { token, hello: { bot: {} } });
    const alarm = { owner: { alarms: ROOM }, key: 'tea', value: { at: 1, value: 'green' } };
    await bot.chat.call('bot.store', { changes: [alarm] });
    await bot.until(() => bot.events.length > 0, 'the alarm');

    const data = { room: ROOM, key: 'tea', at: 1, value: 'green' };
    expect(bot.events).toEqual([{ event: 'alarm.due', data }]);
  });
});
