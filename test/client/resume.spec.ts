import { join } from 'node:path';

import { Sqlite } from '#src/database/sqlite.js';

import { ALL_CARRIERS, Scene } from './scene.js';
import { afterCut, headOf, member, ROOM, say } from './talk.js';

/** A page of replay holds less than half of 150 such messages. */
const LONG_TEXT = 'x'.repeat(4_000);

let scene: Scene;
beforeEach(async () => {
  scene = await Scene.start();
});
afterEach(() => scene.dispose());

describe.each(ALL_CARRIERS)('over %s', (carrier) => {
  test('delivers events around a restart of the server once and in order', async () => {
    const ann = await scene.member(carrier, ROOM);
    let rob = await member(scene);
    const [one, two] = [await say(rob, 'one'), await say(rob, 'two')];
    await rob.ok('message.react', { room: ROOM, message: one.id, emoji: '👍' });
    await ann.untilEvent(ROOM, two.seq + 1);
    const token = rob.welcome.token;
    await scene.server.stop();
    await ann.untilStatus('waiting');
    await scene.restart();
    rob = await member(scene, 'rob', { token });
    await rob.ok('message.edit', { room: ROOM, message: one.id, text: 'one, corrected' });
    await rob.ok('message.unreact', { room: ROOM, message: one.id, emoji: '👍' });
    await rob.ok('message.delete', { room: ROOM, message: two.id });
    ann.chat.reconnectNow();
    await ann.untilStatus('open', 2);
    const three = await say(rob, 'three');
    await ann.untilEvent(ROOM, three.seq);

    expect(ann.statuses).toContainEqual(expect.objectContaining({ name: 'waiting', code: 4201 }));
    expect(ann.seqs(ROOM)).toEqual(afterCut(ann, three.seq));
    expect(ann.logged(ROOM).map(({ event }) => event)).toEqual([
      'member.joined',
      'message.created',
      'message.created',
      'reaction.added',
      'message.edited',
      'reaction.removed',
      'message.deleted',
      'message.created',
    ]);
    expect(ann.gaps).toEqual([]);
  });

  test('requests more events than a resume returns page by page', async () => {
    const ann = await scene.member(carrier, ROOM);
    const rob = await member(scene);
    await say(rob, 'before');
    await ann.until(() => ann.seqs(ROOM).length === 2, 'the first message');
    scene.proxy.cut();
    await ann.untilStatus('waiting');
    const ids = Array.from({ length: 150 }, () =>
      rob.post('message.send', { room: ROOM, text: LONG_TEXT }),
    );
    await rob.reply(ids.at(-1));
    scene.proxy.repair();
    const { welcome } = await ann.untilStatus('open', 1);
    // Another user keeps sending.
    for (let i = 0; i < 20; i++) await say(rob, 'meanwhile');
    const head = await headOf(rob);
    await ann.untilEvent(ROOM, head);

    expect(welcome.resumed[ROOM]).toEqual({ complete: false, reason: 'behind' });
    expect(ann.seqs(ROOM)).toEqual(afterCut(ann, head));
    expect(ann.gaps).toEqual([]);
  });

  test('reports that a log was created again, and continues after a cut of it', async () => {
    const ann = await scene.member(carrier, ROOM);
    const rob = await member(scene);
    const before = await say(rob, 'before');
    await ann.untilEvent(ROOM, before.seq);
    const position = ann.chat.positions[ROOM];
    await scene.server.stop();
    changeEpochs(scene.server.env['PARLANCE_DATA_DIR'] ?? '');
    await scene.restart();
    ann.chat.reconnectNow();
    await ann.until(() => ann.gaps.length > 0, 'the gap');
    const again = await member(scene);
    const after = await say(again, 'after');
    await ann.untilEvent(ROOM, after.seq);

    expect(ann.gaps).toMatchObject([
      { room: ROOM, after: position, reason: 'epoch_mismatch', cut: { epoch: 'another' } },
    ]);
    expect(ann.gaps[0]?.cut?.messages.map(({ text }) => text)).toEqual(['before']);
    expect(ann.logged(ROOM).at(-1)).toMatchObject({ data: { message: { text: 'after' } } });
    expect(ann.chat.positions[ROOM]).toEqual({ epoch: 'another', seq: after.seq });
  });
});

/** Changes the epoch of all rooms, as if they had been created again. */
function changeEpochs(dataDir: string): void {
  const database = new Sqlite(join(dataDir, 'parlance.db'));
  database.exec(`UPDATE rooms SET epoch = 'another' WHERE id NOT LIKE '@%'`);
  database.close();
}

test('reports that it is no longer a member, and delivers nothing of the room', async () => {
  const ann = await scene.member('websocket', ROOM);
  const rob = await member(scene);
  scene.proxy.cut();
  await ann.untilStatus('waiting');
  const other = await scene.bystander('ann', { token: ann.tokens.at(-1) });
  await other.ok('room.leave', { room: ROOM });
  scene.proxy.repair();
  await ann.until(() => ann.gaps.length > 0, 'the gap');
  await say(rob, 'among ourselves');
  await ann.chat.call('session.ping');

  expect(ann.gaps).toMatchObject([{ room: ROOM, reason: 'not_found' }]);
  expect(ann.gaps[0]).not.toHaveProperty('cut');
  expect(ann.chat.positions).not.toHaveProperty(ROOM);
  expect(ann.logged(ROOM).map(({ event }) => event)).toEqual(['member.joined']);
});

test('stays with a room that was left and joined again meanwhile', async () => {
  const ann = await scene.member('websocket', ROOM);
  scene.proxy.cut();
  await ann.untilStatus('waiting');
  const other = await scene.bystander('ann', { token: ann.tokens.at(-1) });
  await other.ok('room.leave', { room: ROOM });
  await other.ok('room.join', { room: ROOM });
  scene.proxy.repair();
  await ann.untilStatus('open', 1);
  const { seq } = await say(other, 'here again');
  await ann.untilEvent(ROOM, seq);

  expect(ann.seqs(ROOM)).toEqual(afterCut(ann, seq));
});

test('delivers the leave of the user, and nothing of the room after it', async () => {
  const ann = await scene.member('websocket', ROOM);
  const rob = await member(scene);
  const { seq } = await ann.chat.call('room.leave', { room: ROOM });
  await ann.untilEvent(ROOM, seq);
  await say(rob, 'among ourselves');
  await ann.chat.call('session.ping');

  expect(ann.logged(ROOM).map(({ event }) => event)).toEqual(['member.joined', 'member.left']);
  expect(ann.chat.positions).not.toHaveProperty(ROOM);
  expect(ann.gaps).toEqual([]);
});

test('continues where an earlier client stopped', async () => {
  const ann = await scene.member('websocket', ROOM);
  const rob = await member(scene);
  const { seq } = await say(rob, 'before');
  await ann.untilEvent(ROOM, seq);
  const { positions } = ann.chat;
  await ann.chat.close();
  const missed = await say(rob, 'missed');
  const token = ann.tokens.at(-1) ?? '';
  const again = scene.chat('socket.io websocket', { positions, token });
  await again.untilEvent(ROOM, missed.seq);

  expect(again.chat.welcome?.user).toEqual(ann.chat.welcome?.user);
  expect(again.logged(ROOM)).toMatchObject([{ data: { message: { text: 'missed' } } }]);
});

test.each([
  [120, { PARLANCE_LIMIT_ROOMS_PER_CONNECTION: '200' }],
  [40, { PARLANCE_LIMIT_FRAME_BYTES: '2048' }],
])('resumes %i rooms although hello accepts fewer with %j', async (count, settings) => {
  await scene.dispose();
  scene = await Scene.start(settings);
  const rooms = Array.from({ length: count }, (_, i) => `room-${String(i)}`);
  const ann = scene.chat('websocket');
  await Promise.all(rooms.map((room) => ann.chat.call('room.join', { room, create: true })));
  scene.proxy.cut();
  await ann.untilStatus('waiting');
  const rob = await scene.bystander();
  for (const room of rooms) await rob.ok('room.join', { room });
  scene.proxy.repair();
  const joined = () => ann.events.filter(({ event }) => event === 'member.joined');
  await ann.until(() => joined().length >= rooms.length, 'all missed events');

  expect(
    joined()
      .map(({ data }) => data.room)
      .sort(),
  ).toEqual(rooms.sort());
  expect(ann.gaps).toEqual([]);
});

test('gets its own changes, also those that it missed', async () => {
  const ann = await scene.member('websocket', ROOM);
  scene.proxy.cut();
  await ann.untilStatus('waiting');
  const other = await scene.bystander('ann', { token: ann.tokens.at(-1) });
  await other.ok('user.update', { name: 'Anna' });
  scene.proxy.repair();
  await ann.until(() => ann.logged('@me').length > 0, 'the new name');

  expect(ann.logged('@me')).toMatchObject([
    { event: 'user.updated', data: { seq: 1, user: { name: 'Anna' } } },
  ]);
  expect(ann.gaps).toEqual([]);
});
