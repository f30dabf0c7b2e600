import type { ConnectionError } from '../../client/index.js';
import { HeldWriter } from '../support/held-writer.js';
import { expired, makeKey } from '../support/tokens.js';
import { ALL_CARRIERS, Scene } from './scene.js';
import { ROOM } from './talk.js';

const KEY = makeKey('test');

let scene: Scene;
afterEach(() => scene.dispose());

async function tokenOf(name: string): Promise<{ token: string; id: string }> {
  const { welcome } = await scene.bystander(name);
  return { token: welcome.token ?? '', id: welcome.user.id };
}

describe.each(ALL_CARRIERS)('over %s', (carrier) => {
  beforeEach(async () => {
    scene = await Scene.start({ PARLANCE_TOKEN_KEYS: KEY.setting });
  });

  test('connects as the user of the token, and passes on each issued token', async () => {
    const { token, id } = await tokenOf('ann');
    const ann = scene.chat(carrier, { token });
    const { user, token: issued } = await ann.chat.ready();
    scene.proxy.cut();
    await ann.untilStatus('waiting');
    scene.proxy.repair();
    const { welcome } = await ann.untilStatus('open', 1);

    expect(user.id).toBe(id);
    expect(welcome.user.id).toBe(id);
    expect(ann.tokens).toEqual([issued, welcome.token]);
  });

  test('asks for another token when one is refused', async () => {
    const { token, id } = await tokenOf('ann');
    const tokens = [await expired(token, KEY), token];
    const requested: unknown[] = [];
    const ann = scene.chat(carrier, {
      token: async () => {
        requested.push(tokens[0]);
        return tokens.shift();
      },
    });

    expect((await ann.chat.ready()).user.id).toBe(id);
    expect(requested).toHaveLength(2);
    expect(ann.statuses.map(({ name }) => name)).toEqual(['open']);
  });

  test('becomes a new guest if the app returns no other token', async () => {
    const { token, id } = await tokenOf('ann');
    const tokens = [await expired(token, KEY)];
    const ann = scene.chat(carrier, { token: () => tokens.shift(), hello: { name: 'ann' } });
    const { user } = await ann.chat.ready();

    expect(user.id).not.toBe(id);
    expect(user.name).toBe('ann');
  });

  test.each([
    ['a stale token', async () => expired((await tokenOf('ann')).token, KEY)],
    ['a token of another server', async () => 'made up'],
  ])('becomes a new guest on request: %s', async (_, stale) => {
    const ann = scene.chat(carrier, {
      token: await stale(),
      refusedToken: 'new-guest',
      hello: { name: 'ann' },
    });
    const { user, token } = await ann.chat.ready();

    expect(user).toMatchObject({ kind: 'guest', name: 'ann' });
    expect(ann.tokens).toEqual([token]);
    expect(ann.statuses.map(({ name }) => name)).toEqual(['open']);
  });

  test('stops if a token is refused and there is no other', async () => {
    const { token } = await tokenOf('ann');
    const ann = scene.chat(carrier, { token: await expired(token, KEY) });
    const stopped = await ann.chat.ready().catch((error: unknown) => error);

    expect(stopped).toMatchObject({ code: 'token_refused', cause: { code: 'token_expired' } });
    expect((stopped as ConnectionError).wasSent).toBe(false);
    expect(ann.statuses.map(({ name }) => name)).toEqual(['closed']);
  });
});

test('stops if the second token is refused as well', async () => {
  scene = await Scene.start();
  const { chat } = scene.chat('websocket', { token: () => 'made up' });

  await expect(chat.ready()).rejects.toMatchObject({ cause: { code: 'token_invalid' } });
});

test('becomes a new guest on request if the app has no better token', async () => {
  scene = await Scene.start();
  const requested: string[] = [];
  const token = () => {
    requested.push('made up');
    return 'made up';
  };
  const { chat } = scene.chat('websocket', { token, refusedToken: 'new-guest' });

  expect((await chat.ready()).user.kind).toBe('guest');
  expect(requested).toHaveLength(2);
});

test('becomes a new guest on request when the server asks for new credentials', async () => {
  scene = await Scene.start();
  const ann = scene.chat('websocket', { refusedToken: 'new-guest' });
  const { user } = await ann.chat.ready();
  scene.connectionOf(ann).bye(4301, 'for a test');
  const { welcome } = await ann.untilStatus('open', 1);

  expect(welcome.user.id).not.toBe(user.id);
});

test('tries again later if the token function throws', async () => {
  scene = await Scene.start();
  const failures = [new Error('The safe is locked.')];
  const ann = scene.chat('websocket', {
    token: () => {
      const failure = failures.shift();
      if (failure !== undefined) throw failure;
      return undefined;
    },
  });
  await ann.chat.ready();

  expect(ann.errors).toMatchObject([{ message: 'The safe is locked.' }]);
});

test('refreshes a token before it expires, and the session continues', async () => {
  scene = await Scene.start({ PARLANCE_TOKEN_SECONDS: '1' });
  const ann = scene.chat('websocket');
  const { session, expiresAt } = await ann.chat.ready();
  await ann.until(() => ann.tokens.length >= 4, 'three more tokens');
  const connection = scene.connectionOf(ann);

  expect(connection.session?.id).toBe(session);
  expect(connection.session?.expiresAt).toBeGreaterThan(expiresAt);
  expect(ann.statuses.map(({ name }) => name)).toEqual(['open']);
});

test('does not repeat a message as another user that may have been stored', async () => {
  scene = await Scene.start();
  const tokens: (string | undefined)[] = [undefined];
  const ann = await scene.member('websocket', ROOM, { token: () => tokens.at(-1) });
  const held = await HeldWriter.hold(scene.server);
  const sent = ann.chat.send({ room: ROOM, text: 'who said that?' });
  await held.untilQueued(1);
  scene.connectionOf(ann).bye(4301, 'for a test');
  held.release();

  await expect(sent).rejects.toMatchObject({ code: 'user_changed', wasSent: true });
  expect(ann.gaps).toMatchObject([
    { room: '@me', reason: 'epoch_mismatch' },
    { room: ROOM, reason: 'not_found' },
  ]);
});
