import { CommandError, ConnectionError } from '../../client/index.js';
import { Scene, ALL_CARRIERS } from './scene.js';
import { ROOM } from './talk.js';

const TEXT = 'minutes of the meeting';

let scene: Scene;
afterEach(() => scene.dispose());

describe.each(ALL_CARRIERS)('over %s', (carrier) => {
  beforeEach(async () => {
    scene = await Scene.start({ PARLANCE_LIMIT_FILE_BYTES: '100' });
  });

  test('uploads a file and sends it', async () => {
    const { chat } = scene.chat(carrier, { hello: { name: 'ann' } });
    await chat.call('room.join', { room: ROOM });

    const file = await chat.upload(new Blob([TEXT]), 'März.txt');
    const same = await chat.upload(new TextEncoder().encode(TEXT));
    const { message } = await chat.send({ room: ROOM, files: [file.id, same.id] });

    expect(file).toMatchObject({ name: 'März.txt', size: TEXT.length });
    expect(message.attachments).toEqual([file, same]);
  });

  test('tells what the server refused', async () => {
    const { chat } = scene.chat(carrier, { hello: { name: 'ann' } });

    const refused = chat.upload(new Blob(['x'.repeat(101)]));

    await expect(refused).rejects.toBeInstanceOf(CommandError);
    await expect(refused).rejects.toMatchObject({ code: 'too_large', retryable: false });
  });

  test('tells that there was no answer', async () => {
    const { chat } = scene.chat(carrier, { hello: { name: 'ann' } });
    await chat.ready();
    scene.proxy.cut();

    const lost = chat.upload(new Blob([TEXT]));

    await expect(lost).rejects.toBeInstanceOf(ConnectionError);
    scene.proxy.mend();
  });
});
