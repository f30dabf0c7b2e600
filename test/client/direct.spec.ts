import { ALL_CARRIERS, Scene } from './scene.js';

let scene: Scene;
beforeEach(async () => {
  scene = await Scene.start();
});
afterEach(() => scene.dispose());

describe.each(ALL_CARRIERS)('direct rooms over %s', (carrier) => {
  test('are followed by who opens one, through a loss of the connection', async () => {
    const ann = scene.chat(carrier);
    const rob = await scene.bystander();
    const { room, created, seq } = await ann.chat.call('dm.open', { user: rob.welcome.user.id });
    await rob.ok('message.send', { room, text: 'one' });
    await ann.reaches(room, seq + 1);
    scene.proxy.cut();
    await ann.reachesStatus('waiting');
    await rob.ok('message.send', { room, text: 'two' });
    scene.proxy.mend();
    ann.chat.hurry();
    await ann.reaches(room, seq + 2);

    expect(created).toBe(true);
    expect(ann.seqs(room)).toEqual([seq + 1, seq + 2]);
    expect(ann.gaps).toEqual([]);
    await ann.chat.send({ room, text: 'three' });
    expect((await ann.chat.call('dm.list')).directs.map(({ info }) => info.id)).toEqual([room]);
  });

  test('are told to who does not follow one yet', async () => {
    const ann = scene.chat(carrier);
    const { user } = await ann.chat.ready();
    const rob = await scene.bystander();
    const { room, seq } = await rob.ok('dm.open', { user: user.id });
    await ann.until(() => ann.events.some(({ event }) => event === 'dm.opened'), 'dm.opened');
    const told = ann.events.find((event) => event.event === 'dm.opened');
    await ann.chat.call('room.join', { room });
    await rob.ok('message.send', { room, text: 'hi' });
    await ann.reaches(room, seq + 1);

    expect(told?.data).toMatchObject({ room: '@me', info: { id: room }, user: rob.welcome.user });
  });
});
