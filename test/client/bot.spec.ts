import { Writer } from '#src/database/writer.js';
import { DEFAULT_SCOPES } from '#src/protocol/bots.js';
import { registerBot } from '#src/users/bot-accounts.service.js';

import { ALL_CARRIERS, Scene } from './scene.js';

const ROOM = 'far';
const BOT = { name: 'far', about: '', scopes: [...DEFAULT_SCOPES, 'messages:read' as const] };

let scene: Scene;
beforeEach(async () => {
  scene = await Scene.start();
});
afterEach(() => scene.dispose());

describe.each(ALL_CARRIERS)('a bot over %s', (carrier) => {
  test('is handed out what the server delivers, and again what it has not acknowledged', async () => {
    const { app } = scene.server;
    const token = await app.get(Writer).run(({ manager }) => registerBot(manager, BOT));
    const rob = await scene.bystander();
    await rob.ok('room.join', { room: ROOM, create: true });
    await rob.ok('bot.add', { room: ROOM, bot: 'far', scopes: BOT.scopes });
    const say = async (text: string) => {
      return (await rob.ok('message.send', { room: ROOM, text })).message.seq;
    };
    const bot = scene.chat(carrier, { token, hello: { bot: { inFlight: 8 } } });
    const { user } = await bot.chat.ready();
    const seqs = [await say('one'), await say('two'), await say('three')] as const;
    await bot.reaches(ROOM, seqs[2]);
    await bot.chat.call('bot.ack', { room: ROOM, seq: seqs[0] });
    scene.proxy.cut();
    await bot.reachesStatus('waiting');
    scene.proxy.mend();
    await bot.until(() => bot.seqs(ROOM).length === 5, 'the events once more');

    expect(user.name).toBe('far');
    expect(bot.seqs(ROOM)).toEqual([...seqs, seqs[1], seqs[2]]);
    expect(bot.gaps).toEqual([]);
    expect(bot.chat.positions).toEqual({});
  });

  test('is handed out alarms', async () => {
    const { app } = scene.server;
    const token = await app.get(Writer).run(({ manager }) => registerBot(manager, BOT));
    const rob = await scene.bystander();
    await rob.ok('room.join', { room: ROOM, create: true });
    await rob.ok('bot.add', { room: ROOM, bot: 'far' });
    const bot = scene.chat(carrier, { token, hello: { bot: {} } });
    const alarm = { owner: { alarms: ROOM }, key: 'tea', value: { at: 1, value: 'green' } };
    await bot.chat.call('bot.store', { changes: [alarm] });
    await bot.until(() => bot.events.length > 0, 'the alarm');

    const data = { room: ROOM, key: 'tea', at: 1, value: 'green' };
    expect(bot.events).toEqual([{ event: 'alarm.due', data }]);
  });
});
