import { CommandError, ConnectionError } from '../../client/index.js';
import { GatedGateway, GatedModule } from '../support/gated.gateway.js';
import { HeldWriter } from '../support/held-writer.js';
import { ALL_CARRIERS, Scene } from './scene.js';
import { ROOM } from './talk.js';

describe.each(ALL_CARRIERS)('over %s', (carrier) => {
  let scene: Scene;

  beforeEach(async () => {
    scene = await Scene.start({}, { modules: [GatedModule] });
  });
  afterEach(() => scene.dispose());

  test('joins a room, sends a message and gets its event', async () => {
    const ann = scene.chat(carrier, { hello: { name: 'ann' } });
    const welcome = await ann.chat.ready();
    const cut = await ann.chat.call('room.join', { room: ROOM });
    const { message, duplicate } = await ann.chat.send({ room: ROOM, text: 'hi' });
    await ann.untilEvent(ROOM, message.seq);

    expect(welcome.user.name).toBe('ann');
    expect(cut.you.user).toEqual(welcome.user);
    expect(duplicate).toBe(false);
    expect(message.cid).toMatch(/^[0-9a-f]{24}$/);
    expect(ann.logged(ROOM)).toMatchObject([
      { event: 'message.created', data: { room: ROOM, seq: cut.seq + 1, message } },
    ]);
    await ann.chat.close();
    expect(ann.statuses.map(({ name }) => name)).toEqual(['open', 'closed']);
  });

  test('keeps the order of commands that are sent without waiting', async () => {
    const { chat } = scene.chat(carrier);
    const joined = chat.call('room.join', { room: 'Lobby', create: true });
    const texts = ['one', 'two', 'three', 'four', 'five'];
    const sent = await Promise.all(texts.map((text) => chat.send({ room: 'lobby', text })));
    const { seq } = await joined;

    expect(sent.map(({ message }) => message.seq)).toEqual(texts.map((_, i) => seq + 1 + i));
  });

  test('sends a message that was written during an outage once', async () => {
    const rob = await scene.bystander();
    await rob.ok('room.join', { room: ROOM });
    const ann = scene.chat(carrier);
    await ann.chat.ready();
    await ann.chat.call('room.join', { room: ROOM });
    scene.proxy.cut();
    await ann.untilStatus('waiting');
    const sent = ['one', 'two'].map((text) => ann.chat.send({ room: ROOM, text }));
    scene.proxy.repair();
    const replies = await Promise.all(sent);
    await rob.event('message.created', ({ message }) => message.text === 'two');
    await ann.untilEvent(ROOM, replies[1]?.message.seq ?? 0);

    expect(replies.map(({ duplicate }) => duplicate)).toEqual([false, false]);
    const texts = rob.events('message.created').map(({ data }) => data['message']);
    expect(texts).toMatchObject([{ text: 'one' }, { text: 'two' }]);
    const seqs = ann.seqs(ROOM);
    expect(new Set(seqs).size).toBe(seqs.length);
  });

  test('sends an unanswered message again with the same cid; it is stored once', async () => {
    const rob = await scene.bystander();
    await rob.ok('room.join', { room: ROOM });
    const { chat } = scene.chat(carrier);
    await chat.ready();
    await chat.call('room.join', { room: ROOM });
    const text = 'was it stored?';
    const held = await HeldWriter.hold(scene.server);
    const sent = chat.send({ room: ROOM, text });
    await held.untilQueued(1);
    scene.proxy.cut();
    held.release();
    await rob.event('message.created', ({ message }) => message.text === text);
    scene.proxy.repair();
    const { message, duplicate } = await sent;

    expect(duplicate).toBe(true);
    const stored = await rob.ok('message.history', { room: ROOM });
    expect(stored.messages).toEqual([message]);
  });

  test('repeats commands that are safe to repeat, and reports the lost reply of the others', async () => {
    const ann = scene.chat(carrier);
    await ann.chat.ready();
    await ann.chat.call('room.join', { room: ROOM });
    const gate = scene.server.app.get(GatedGateway);
    // Later commands wait until it is answered.
    const stuck = ann.chat.call('test.wait' as 'room.get', { gate: 'a' } as never);
    await gate.untilReached('a');
    const read = ann.chat.call('room.get', { room: ROOM });
    const renamed = ann.chat.call('user.update', { name: 'Ann' });
    scene.proxy.cut();

    for (const lost of [stuck, renamed]) {
      await expect(lost).rejects.toBeInstanceOf(ConnectionError);
      await expect(lost).rejects.toMatchObject({ code: 'lost', wasSent: true });
    }
    scene.proxy.repair();
    expect((await read).info.id).toBe(ROOM);
    gate.open('a');
  });

  test('reports why the server refused a command', async () => {
    const { chat } = scene.chat(carrier);
    const refused = chat.call('room.join', { room: 'nowhere' });

    await expect(refused).rejects.toBeInstanceOf(CommandError);
    await expect(refused).rejects.toMatchObject({
      cmd: 'room.join',
      code: 'not_found',
      retryable: false,
    });
  });

  test('refuses a command that would end the connection', async () => {
    const ann = scene.chat(carrier);
    await ann.chat.ready();
    await ann.chat.call('room.join', { room: ROOM });
    const sent = ann.chat.send({ room: ROOM, text: 'x'.repeat(100_000) });

    await expect(sent).rejects.toMatchObject({ code: 'too_long', details: { limit: 65_536 } });
    await ann.chat.call('session.ping');
    expect(ann.statuses).toHaveLength(1);
  });

  test('closes after sent commands are answered, and fails the others', async () => {
    const { chat } = scene.chat(carrier);
    await chat.ready();
    await chat.call('room.join', { room: ROOM });
    const sent = ['one', 'two', 'three'].map((text) => chat.send({ room: ROOM, text }));
    const closed = chat.close();
    const late = chat.send({ room: ROOM, text: 'late' });

    await expect(late).rejects.toMatchObject({ code: 'closed', wasSent: false });
    expect((await Promise.all(sent)).map(({ message }) => message.text)).toHaveLength(3);
    await closed;
    expect(chat.status).toEqual({ name: 'closed' });
    await expect(chat.ready()).rejects.toMatchObject({ code: 'closed' });
  });
});
