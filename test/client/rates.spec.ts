import { Scene, type Carrier } from './scene.js';
import { ROOM } from './talk.js';

let scene: Scene;
afterEach(() => scene.dispose());

test.each<Carrier>(['websocket', 'socket.io websocket'])(
  'over %s, sends messages above the rate in their order',
  async (carrier) => {
    scene = await Scene.start({
      PARLANCE_LIMIT_MESSAGES_PER_SECOND: '20',
      PARLANCE_LIMIT_MESSAGES_BURST: '2',
    });
    const ann = await scene.member(carrier, ROOM);
    const texts = ['one', 'two', 'three', 'four', 'five', 'six'];
    const sent = await Promise.all(texts.map((text) => ann.chat.send({ room: ROOM, text })));
    const seqs = sent.map(({ message }) => message.seq);

    expect(seqs).toEqual(texts.map((_, i) => (seqs[0] ?? 0) + i));
    expect(sent.map(({ message }) => message.text)).toEqual(texts);
  },
);

test('sends a command above the rate of the connection again', async () => {
  scene = await Scene.start({
    PARLANCE_LIMIT_COMMANDS_PER_SECOND: '50',
    PARLANCE_LIMIT_COMMANDS_BURST: '4',
  });
  const { chat } = scene.chat('websocket');
  await chat.ready();
  const answers = await Promise.all(Array.from({ length: 8 }, () => chat.call('session.ping')));

  expect(answers).toHaveLength(8);
});

test('fails a command at once that would have to wait for long', async () => {
  scene = await Scene.start({ PARLANCE_LIMIT_ROOMS_PER_HOUR: '1' });
  const { chat } = scene.chat('websocket');
  await chat.call('room.create', { room: 'first' });

  await expect(chat.call('room.create', { room: 'second' })).rejects.toMatchObject({
    code: 'rate_limited',
    details: { bucket: 'rooms' },
  });
});
