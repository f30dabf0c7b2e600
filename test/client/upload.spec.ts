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

  test('downloads a file of a message; before it is sent, only its uploader can', async () => {
    const { chat } = scene.chat(carrier, { hello: { name: 'ann' } });
    const rob = scene.chat(carrier, { hello: { name: 'rob' } });
    await chat.call('room.join', { room: ROOM });
    await rob.chat.call('room.join', { room: ROOM });
    const file = await chat.upload(new Blob([TEXT]), 'minutes.txt');
    const early = rob.chat.download(file);
    await expect(early).rejects.toMatchObject({ name: 'CommandError', code: 'not_found' });

    const { message } = await chat.send({ room: ROOM, files: [file.id] });
    const [attachment = file] = message.attachments ?? [];
    const blob = await rob.chat.download(attachment);

    expect(await blob.text()).toBe(TEXT);
    expect(blob.type).toBe('application/octet-stream');
  });

  test('reports what the server refused', async () => {
    const { chat } = scene.chat(carrier, { hello: { name: 'ann' } });

    const refused = chat.upload(new Blob(['x'.repeat(101)]));

    await expect(refused).rejects.toBeInstanceOf(CommandError);
    await expect(refused).rejects.toMatchObject({ code: 'too_large', retryable: false });
  });

  test('reports that there was no answer', async () => {
    const { chat } = scene.chat(carrier, { hello: { name: 'ann' } });
    await chat.ready();
    scene.proxy.cut();

    const lost = chat.upload(new Blob([TEXT]));

    await expect(lost).rejects.toBeInstanceOf(ConnectionError);
    scene.proxy.repair();
  });
});
