import { ALL_CARRIERS, Scene } from './scene.js';
import { ROOM } from './talk.js';
import type { WatchedChat } from './watched-chat.js';

let scene: Scene;
beforeEach(async () => {
  scene = await Scene.start();
});
afterEach(() => scene.dispose());

describe.each(ALL_CARRIERS)('direct rooms over %s', (carrier) => {
  test('are followed by the user who opens one, through an outage', async () => {
    const ann = scene.chat(carrier);
    const rob = await scene.bystander();
    const { room, created, seq } = await ann.chat.call('dm.open', { user: rob.welcome.user.id });
    await rob.ok('message.send', { room, text: 'one' });
    await ann.untilEvent(room, seq + 1);
    scene.proxy.cut();
    await ann.untilStatus('waiting');
    await rob.ok('message.send', { room, text: 'two' });
    scene.proxy.repair();
    ann.chat.reconnectNow();
    await ann.untilEvent(room, seq + 2);

    expect(created).toBe(true);
    expect(ann.seqs(room)).toEqual([seq + 1, seq + 2]);
    expect(ann.gaps).toEqual([]);
    await ann.chat.send({ room, text: 'three' });
    expect((await ann.chat.call('dm.list')).directs.map(({ info }) => info.id)).toEqual([room]);
  });

  test('are followed when another user opens one, from the first message on', async () => {
    const ann = scene.chat(carrier);
    const { user } = await ann.chat.ready();
    const rob = await scene.bystander();
    const { room, seq } = await rob.ok('dm.open', { user: user.id });
    await rob.ok('message.send', { room, text: 'hi' });
    await ann.untilEvent(room, seq + 1);
    await rob.ok('message.send', { room, text: 'still there?' });
    await ann.untilEvent(room, seq + 2);
    const opened = ann.events.find(({ event }) => event === 'dm.opened');

    expect(opened?.data).toMatchObject({ room: '@me', info: { id: room }, user: rob.welcome.user });
    expect(textsOf(ann, room)).toEqual(['hi', 'still there?']);
    expect(ann.seqs(room)).toEqual([...ann.seqs(room)].sort((a, b) => a - b));
    expect(ann.gaps).toEqual([]);
  });

  test('are followed when another user opens one during an outage', async () => {
    const ann = await scene.member(carrier, ROOM);
    const { user } = await ann.chat.ready();
    const rob = await scene.bystander();
    scene.proxy.cut();
    await ann.untilStatus('waiting');
    const { room, seq } = await rob.ok('dm.open', { user: user.id });
    await rob.ok('message.send', { room, text: 'are you there?' });
    scene.proxy.repair();
    ann.chat.reconnectNow();
    await ann.untilEvent(room, seq + 1);

    expect(textsOf(ann, room)).toEqual(['are you there?']);
  });
});

describe('a direct room', () => {
  test('that another user has opened can be joined to get its cut', async () => {
    const ann = scene.chat('websocket');
    const { user } = await ann.chat.ready();
    const rob = await scene.bystander();
    const joined = new Promise<string>((resolve) => {
      ann.chat.on('dm.opened', ({ info: { id: room } }) => {
        void ann.chat.call('room.join', { room }).then(() => resolve(room));
      });
    });
    await rob.ok('dm.open', { user: user.id });
    const room = await joined;
    const { message } = await rob.ok('message.send', { room, text: 'hi' });
    await ann.untilEvent(room, message.seq);

    expect(ann.seqs(room)).toEqual([message.seq]);
  });

  test('that was left is followed again from the next message on', async () => {
    const ann = scene.chat('websocket');
    const rob = await scene.bystander();
    const { room } = await ann.chat.call('dm.open', { user: rob.welcome.user.id });
    await ann.chat.send({ room, text: 'old' });
    await ann.chat.call('room.leave', { room });
    const before = ann.events.length;
    const { message } = await rob.ok('message.send', { room, text: 'come back' });
    await ann.untilEvent(room, message.seq);

    const texts = ann.events.slice(before).filter(({ event }) => event === 'message.created');
    expect(texts).toMatchObject([{ data: { message: { text: 'come back' } } }]);
  });
});

function textsOf(chat: WatchedChat, room: string): string[] {
  return chat
    .logged(room)
    .flatMap((event) => (event.event === 'message.created' ? [event.data.message.text] : []));
}
