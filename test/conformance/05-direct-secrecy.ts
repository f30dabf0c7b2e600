import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';

import { COMMANDS, type CommandName } from '#src/protocol/commands.js';

import type { TestClient } from '../support/client.js';
import { idOf, openDirectRoom } from './directs.js';
import { connectAgain, say } from './meeting.js';
import { positionIn } from './reading.js';
import { verifiesCore } from './suite.js';

/** Identifiers that an outsider could know of a room. */
interface Target {
  readonly room: string;
  readonly message: string;
  readonly epoch: string;
}

const PIXEL = 'R0lGODlhAQABAIAAAP///wAAACwAAAAAAQABAAACAkQBADs=';

type Naming = (target: Target) => readonly object[];

const inRoom: Naming = ({ room }) => [{ room }];
const onMessage: Naming = ({ room, message }) => [{ room, message }];

/** Data that names a room, for each command; null for commands that name no room. */
const NAMING: Readonly<Record<CommandName, Naming | null>> = {
  hello: null,
  'session.ping': null,
  'auth.refresh': null,
  'room.create': inRoom,
  'room.list': null,
  'room.join': ({ room }) => [{ room }, { room, create: true, title: 'Mine' }],
  'room.leave': inRoom,
  'room.get': inRoom,
  'room.update': ({ room }) => [{ room, title: 'Mine' }],
  'room.members': inRoom,
  'room.sync': ({ room, epoch }) => [
    { room },
    { room, epoch, after: 0 },
    { room, epoch, after: 9 },
  ],
  'dm.open': null,
  'dm.list': null,
  'message.send': ({ room, message }) => [
    { room, text: 'hi' },
    { room, text: 'hi', cid: 'c-1' },
    { room, text: 'hi', replyTo: message },
    { room, text: 'hi', cause: message },
    { room, files: ['0'.repeat(32)] },
    { room, image: { data: PIXEL } },
  ],
  'message.edit': ({ room, message }) => [{ room, message, text: 'mine' }],
  'message.delete': onMessage,
  'message.react': ({ room, message }) => [{ room, message, emoji: '👍' }],
  'message.unreact': ({ room, message }) => [{ room, message, emoji: '👍' }],
  'message.get': onMessage,
  'message.history': ({ room }) => [{ room }, { room, around: 4 }],
  'message.status': ({ room }) => [{ room, cid: 'c-1' }],
  'typing.set': ({ room }) => [
    { room, active: true },
    { room, active: false },
  ],
  'user.get': null,
  'user.update': null,
  'user.block': null,
  'user.unblock': null,
  'user.blocks': null,
  'bot.add': ({ room }) => [{ room, bot: 'dice' }],
  'bot.remove': ({ room }) => [{ room, bot: 'dice' }],
  'bot.ack': ({ room }) => [{ room, seq: 1 }],
  'bot.load': ({ room }) => [{ owner: { room } }, { owner: { alarms: room } }],
  'bot.store': ({ room }) => [{ changes: [{ owner: { room }, key: 'k', value: 1 }] }],
  'bot.commands': inRoom,
  'bot.status': inRoom,
};

/** Commands that guests are refused in any room: those of bots, and creating a room by its id. */
const FORBIDDEN = new Set(['room.create', 'bot.ack', 'bot.load', 'bot.store']);

const missingTarget = (): Target => ({
  room: `@dm-${randomBytes(18).toString('base64url')}`,
  message: randomBytes(18).toString('base64url'),
  epoch: randomBytes(9).toString('base64url'),
});

/** Checks that commands get the same errors for an existing room as for a missing one. */
async function refusesAsMissing(
  client: TestClient,
  target: Target,
  commands: readonly CommandName[] = Object.keys(COMMANDS) as CommandName[],
): Promise<void> {
  const missing = missingTarget();
  for (const cmd of commands) {
    const data = NAMING[cmd]?.(target) ?? [];
    for (const [index, existing] of data.entries()) {
      const answer = await client.call(cmd, existing);
      const none = await client.call(cmd, NAMING[cmd]?.(missing)[index]);
      assert(!answer.ok && !none.ok, `${cmd} is refused`);
      assert.equal(answer.error.code, FORBIDDEN.has(cmd) ? 'forbidden' : 'not_found', cmd);
      assert.deepEqual(answer.error, none.error, cmd);
    }
  }
}

verifiesCore(
  ['P-5.16', 'P-4.2', 'P-6.12'],
  'hides a direct room from all other users in every command',
  async (scene) => {
    const { ann, bob, room } = await openDirectRoom(scene);
    const { id: message } = await say(ann, room, 'a secret', { cid: 'c-1' });
    const { epoch, seq } = await positionIn(ann, room);
    const eve = await scene.join('eve');

    await refusesAsMissing(eve, { room, message, epoch });
    await bob.roundTrip();

    const late = await connectAgain(scene, eve, { resume: { [room]: { epoch, seq: 0 } } });
    assert.deepEqual(late.welcome.resumed, { [room]: { complete: false, reason: 'not_found' } });
    assert.deepEqual(
      [...eve.logged(room), ...late.logged(room)],
      [],
      'eve gets nothing of the room',
    );
    assert.equal((await positionIn(bob, room)).seq, seq, 'nothing was written');
    const { rooms } = await eve.ok('room.list', { limit: 100 });
    assert(rooms.every(({ kind, id }) => kind === 'public' && id !== room));
    assert.deepEqual((await eve.ok('dm.list', {})).directs, []);
    assert.deepEqual((await eve.ok('user.get', { user: idOf(ann) })).user, ann.welcome.user);
  },
);

verifiesCore(
  ['P-5.16', 'P-5.6'],
  'hides a direct room from a user who has left it, except for room.join',
  async (scene) => {
    const { ann, bob, room } = await openDirectRoom(scene);
    const { id: message } = await say(bob, room, 'a secret', { cid: 'c-1' });
    const { epoch } = await positionIn(ann, room);
    await bob.ok('room.leave', { room });

    const commands = (Object.keys(COMMANDS) as CommandName[]).filter((cmd) => cmd !== 'room.join');
    await refusesAsMissing(bob, { room, message, epoch }, commands);
    const { messages } = await bob.ok('room.join', { room });
    assert.deepEqual(
      messages.map(({ id }) => id),
      [message],
    );
  },
);

verifiesCore(
  ['P-5.16', 'P-5.7', 'P-13.3'],
  'gives a direct room no owner, and lets only dm.open create it',
  async (scene) => {
    const { ann, room } = await openDirectRoom(scene);
    await ann.expectError('room.update', { room, title: 'Ours' }, 'forbidden');
    await ann.expectError('bot.add', { room, bot: 'dice' }, 'forbidden');
    await ann.expectError('bot.remove', { room, bot: 'dice' }, 'forbidden');
    await ann.expectError('room.create', { room }, 'forbidden');
    const { room: other } = missingTarget();
    await ann.expectError('room.create', { room: other }, 'forbidden');
    await ann.expectError('room.join', { room: other, create: true }, 'not_found');
  },
);

verifiesCore(
  ['P-5.1', 'P-5.16'],
  'accepts only the exact spelling of the id of a direct room',
  async (scene) => {
    const { ann, room } = await openDirectRoom(scene);
    const other = room.slice(4).replace(/[a-z]/i, (letter) => {
      return letter < 'a' ? letter.toLowerCase() : letter.toUpperCase();
    });
    await ann.expectError('room.get', { room: `@dm-${other}` }, 'not_found');
    for (const wrong of [` ${room}`, `${room}x`, room.slice(0, -1), room.toUpperCase()]) {
      await ann.expectError('room.get', { room: wrong }, 'invalid');
    }
  },
);
