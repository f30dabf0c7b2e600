import assert from 'node:assert/strict';

import { Writer } from '#src/database/writer.js';
import { ERRORS, type ErrorCode, type WireError } from '#src/protocol/errors.js';
import { EVENTS } from '#src/protocol/events.js';

import type { TestClient } from '../support/client.js';
import { SlowUpload } from '../support/slow-upload.js';
import { expired, makeKey } from '../support/tokens.js';
import { bearer, errorOf } from '../support/uploads.js';
import { verifies, type Requirement, type Scene } from './suite.js';

const KEY = makeKey('test');

/** A way to cause an error, and its expected details. */
interface Provocation extends Pick<Requirement, 'settings' | 'only'> {
  provoke(scene: Scene): Promise<WireError>;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** Joins a room as its owner. */
async function ownRoom({ join, room }: Scene): Promise<{ ann: TestClient; room: string }> {
  const ann = await join('ann');
  const name = room();
  await ann.ok('room.join', { room: name, create: true });
  return { ann, room: name };
}

/** Returns arrays nested to a depth. */
function nested(levels: number): unknown {
  return levels === 0 ? 'x' : [nested(levels - 1)];
}

// `internal` needs a handler that fails: see gateways.spec.ts.
const PROVOCATIONS: Record<Exclude<ErrorCode, 'internal'>, Provocation> = {
  bad_frame: {
    // On Socket.IO, this protocol has no frames that could be malformed.
    only: ['websocket', 'in-memory'],
    provoke: async ({ join }) => {
      const ann = await join('ann');
      ann.send({ id: 'x', cmd: 5 });
      const reply = await ann.reply('x');
      assert(!reply.ok);
      return reply.error;
    },
  },
  unknown_command: {
    provoke: async ({ join }) =>
      (await join('ann')).expectError('room.jion', {}, 'unknown_command'),
  },
  invalid: {
    provoke: async ({ join }) =>
      (await join('a')).expectError('room.get', { room: '!' }, 'invalid'),
  },
  too_deep: {
    provoke: async (scene) => {
      const { ann, room } = await ownRoom(scene);
      const data = { room, text: 'hi', cid: nested(16) };
      return ann.expectError('message.send', data, 'too_deep');
    },
  },
  too_large: {
    details: { limit: 'inlineImageBytes', value: 40_960 },
    provoke: async (scene) => {
      const { ann, room } = await ownRoom(scene);
      const data = Buffer.alloc(40_961).toString('base64');
      return ann.expectError('message.send', { room, image: { data } }, 'too_large');
    },
  },
  too_slow: {
    settings: { PARLANCE_LIMIT_UPLOAD_WINDOW_MS: '100' },
    details: { limit: 'uploadWindowBytes', value: 16_384 },
    provoke: async (scene) => {
      const upload = new SlowUpload(`${scene.url}/api/files`, bearer(await scene.join('ann')));
      upload.write(Buffer.from('slow'));
      const error = errorOf(await upload.answer(), 408, 'too_slow');
      upload.abort();
      return error;
    },
  },
  image_unreadable: {
    provoke: async (scene) => {
      const { ann, room } = await ownRoom(scene);
      const data = Buffer.from('no image').toString('base64');
      return ann.expectError('message.send', { room, image: { data } }, 'image_unreadable');
    },
  },
  too_long: {
    details: { limit: 4_000 },
    provoke: async (scene) => {
      const { ann, room } = await ownRoom(scene);
      return ann.expectError('message.send', { room, text: 'x'.repeat(4_001) }, 'too_long');
    },
  },
  hello_required: {
    provoke: async ({ connect }) =>
      (await connect()).expectError('room.list', {}, 'hello_required'),
  },
  hello_repeated: {
    provoke: async ({ join }) => {
      const ann = await join('ann');
      return ann.expectError('hello', { protocol: 1, name: 'bob' }, 'hello_repeated');
    },
  },
  name_reserved: {
    provoke: async ({ connect }) => {
      return (await connect()).expectError('hello', { protocol: 1, name: 'dice' }, 'name_reserved');
    },
  },
  unsupported_version: {
    details: { supported: [1] },
    provoke: async ({ connect }) => {
      return (await connect()).expectError('hello', { protocol: 2 }, 'unsupported_version');
    },
  },
  token_invalid: {
    provoke: async ({ connect }) => {
      return (await connect()).expectError('hello', { protocol: 1, token: 'x' }, 'token_invalid');
    },
  },
  token_expired: {
    settings: { PARLANCE_TOKEN_KEYS: KEY.setting },
    provoke: async ({ connect, join }) => {
      const token = await expired((await join('ann')).welcome.token ?? '', KEY);
      return (await connect()).expectError('hello', { protocol: 1, token }, 'token_expired');
    },
  },
  too_many_connections: {
    settings: { PARLANCE_LIMIT_CONNECTIONS_PER_USER: '1' },
    provoke: async ({ connect, join }) => {
      const { token } = (await join('ann')).welcome;
      return (await connect()).expectError('hello', { protocol: 1, token }, 'too_many_connections');
    },
  },
  forbidden: {
    provoke: async (scene) => {
      const { room } = await ownRoom(scene);
      const bob = await scene.join('bob');
      await bob.ok('room.join', { room });
      return bob.expectError('room.update', { room, title: 'Mine' }, 'forbidden');
    },
  },
  not_found: {
    provoke: async ({ join, room }) => {
      return (await join('ann')).expectError('room.join', { room: room() }, 'not_found');
    },
  },
  not_member: {
    provoke: async (scene) => {
      const { room } = await ownRoom(scene);
      const bob = await scene.join('bob');
      return bob.expectError('message.send', { room, text: 'hi' }, 'not_member');
    },
  },
  room_exists: {
    provoke: async (scene) => {
      const { ann, room } = await ownRoom(scene);
      return ann.expectError('room.create', { room }, 'room_exists');
    },
  },
  message_deleted: {
    provoke: async (scene) => {
      const { ann, room } = await ownRoom(scene);
      const { message } = await ann.ok('message.send', { room, text: 'hi' });
      await ann.ok('message.delete', { room, message: message.id });
      const edit = { room, message: message.id, text: 'ho' };
      return ann.expectError('message.edit', edit, 'message_deleted');
    },
  },
  idempotency_conflict: {
    provoke: async (scene) => {
      const { ann, room } = await ownRoom(scene);
      await ann.ok('message.send', { room, text: 'hi', cid: 'c' });
      return ann.expectError(
        'message.send',
        { room, text: 'ho', cid: 'c' },
        'idempotency_conflict',
      );
    },
  },
  limit_reached: {
    settings: { PARLANCE_LIMIT_ROOMS_PER_CONNECTION: '1' },
    details: { limit: 'roomsPerConnection', value: 1 },
    provoke: async (scene) => {
      const { ann } = await ownRoom(scene);
      return ann.expectError('room.join', { room: scene.room(), create: true }, 'limit_reached');
    },
  },
  blocked: {
    provoke: async ({ join }) => {
      const ann = await join('ann');
      const bob = await join('bob');
      const { room } = await ann.ok('dm.open', { user: bob.welcome.user.id });
      await bob.ok('user.block', { user: ann.welcome.user.id });
      return ann.expectError('message.send', { room, text: 'hi' }, 'blocked');
    },
  },
  rate_limited: {
    settings: { PARLANCE_LIMIT_COMMANDS_BURST: '2', PARLANCE_LIMIT_COMMANDS_PER_SECOND: '1' },
    details: { bucket: 'commands' },
    provoke: async ({ join }) => {
      const ann = await join('ann');
      await ann.ok('session.ping', {});
      const error = await ann.expectError('session.ping', {}, 'rate_limited');
      assert(error.retryAfterMs !== undefined && error.retryAfterMs > 0, 'it tells how long');
      return error;
    },
  },
  unavailable: {
    settings: {},
    provoke: async (scene) => {
      const { ann, room } = await ownRoom(scene);
      // Like at the end of a stop: from now on nothing is written.
      await scene.server?.app.get(Writer).close();
      return ann.expectError('message.send', { room, text: 'hi' }, 'unavailable');
    },
  },
};

for (const [code, { provoke, details, ...options }] of Object.entries(PROVOCATIONS)) {
  verifies(
    ['P-4.2', 'P-4.1'],
    `reports \`${code}\` in the documented shape`,
    async (scene) => {
      const error = await provoke(scene);

      assert.equal(error.code, code);
      assert.equal(error.retryable, ERRORS[code as ErrorCode].retryable);
      assert.notEqual(error.message, '');
      assert.deepEqual(EVENTS.error.parse({ error }), { error });
      for (const [name, value] of Object.entries(details ?? {})) {
        assert.deepEqual(error.details?.[name], value, name);
      }
    },
    options,
  );
}

verifies('P-4.1', 'changes nothing when a command fails', async (scene) => {
  const { ann, room } = await ownRoom(scene);
  const { message } = await ann.ok('message.send', { room, text: 'hi' });
  const cut = await ann.ok('room.sync', { room });

  await ann.expectError('message.edit', { room, message: message.id, text: ' ' }, 'invalid');
  await ann.expectError('message.send', { room, text: 'x', replyTo: 'nothing' }, 'not_found');
  await ann.expectError('room.create', { room, title: 'Other' }, 'room_exists');

  assert.deepEqual(await ann.ok('room.sync', { room }), cut);
});

verifies('P-4.3', 'names the command that an error event is about', async ({ join, room }) => {
  const ann = await join('ann');

  ann.send({ cmd: 'room.get', data: { room: room() } });
  const about = await ann.event('error');
  ann.send({ cmd: 'room.jion', data: {} });
  const unknown = await ann.event('error');

  assert.equal(about.cmd, 'room.get');
  assert.equal(about.error.code, 'not_found');
  assert.equal(unknown.cmd, 'room.jion');
  assert.equal(unknown.error.code, 'unknown_command');
});
