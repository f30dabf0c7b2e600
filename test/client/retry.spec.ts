import type { CommandFrame, Outcome } from '#src/protocol/frames.js';
import { ERRORS, type ErrorCode } from '#src/protocol/errors.js';

import { CommandError, connect, type Chat } from '../../client/index.js';
import { delayBeforeRetry } from '../../client/retry.js';
import { scriptedLinks } from './scripted-links.js';

const DONE: Outcome = { ok: true, data: {} };

let chat: Chat;
let commands: CommandFrame[];
afterEach(() => chat.close());

function refusal(code: ErrorCode, retryAfterMs?: number): Outcome {
  const error = { code, ...ERRORS[code], ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
  return { ok: false, error };
}

/** Connects to a server that returns these outcomes in order, then repeats the last one. */
function connectTo(...answers: Outcome[]): void {
  commands = [];
  const answer = (command: CommandFrame): Outcome => {
    commands.push(command);
    return (answers.length > 1 ? answers.shift() : answers[0]) ?? DONE;
  };
  chat = connect({ url: 'ws://nowhere', transport: scriptedLinks(answer) });
}

test('waits for the named time, and sends the same again', async () => {
  connectTo(refusal('rate_limited', 1), refusal('unavailable', 1), refusal('internal', 1), DONE);
  await chat.send({ room: 'general', text: 'hi' });

  const [first] = commands;
  expect(commands).toHaveLength(4);
  expect(commands.map(({ data }) => data)).toEqual(commands.map(() => first?.data));
  expect(first?.data).toMatchObject({ room: 'general', text: 'hi' });
  expect(first?.data).toHaveProperty('cid');
});

test('fails a command that is refused again and again', async () => {
  connectTo(refusal('rate_limited', 1));
  const refused = chat.call('user.update', { name: 'Ann' });

  await expect(refused).rejects.toBeInstanceOf(CommandError);
  await expect(refused).rejects.toMatchObject({ cmd: 'user.update', code: 'rate_limited' });
  expect(commands).toHaveLength(9);
});

test('fails a command at once that would have to wait for long', async () => {
  connectTo(refusal('rate_limited', 60_000));
  await expect(chat.call('session.ping')).rejects.toMatchObject({ retryAfterMs: 60_000 });
  expect(commands).toHaveLength(1);
});

test.each(['unavailable', 'internal'] as const)(
  'does not repeat a command after %s that would have a second effect',
  async (code) => {
    connectTo(refusal(code, 1));
    const data = { room: 'general', message: 'm', text: 'hi' };

    await expect(chat.call('message.edit', data)).rejects.toMatchObject({ code, retryable: true });
    expect(commands).toHaveLength(1);
  },
);

test('does not repeat a command that is not retryable', async () => {
  connectTo(refusal('not_member'));
  await expect(chat.send({ room: 'general', text: 'hi' })).rejects.toMatchObject({
    code: 'not_member',
  });
  expect(commands).toHaveLength(1);
});

test('sends the messages of a room one after another, also after a refused one', async () => {
  connectTo(refusal('rate_limited', 1), refusal('too_long'), DONE);
  const results = await Promise.allSettled(
    ['one', 'two', 'three'].map((text) => chat.send({ room: 'general', text })),
  );

  expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled']);
  const texts = commands.map(({ data }) => (data as { text: string }).text);
  expect(texts).toEqual(['one', 'one', 'two', 'three']);
});

test('drops a typing notice that is late', async () => {
  chat = connect({ url: 'ws://nowhere', transport: () => ({ send: nothing, close: nothing }) });
  await expect(chat.call('typing.set', { room: 'general', active: true })).rejects.toMatchObject({
    code: 'lost',
    wasSent: false,
  });
});

test('waits longer each time if no time is named', () => {
  const { code, ...rest } = { code: 'unavailable' as const, ...ERRORS.unavailable };
  const error = new CommandError('room.get', { code, ...rest });
  const delays = [0, 1, 2, 7, 8].map((retries) =>
    delayBeforeRetry({ cmd: 'room.get', isBound: false, retries }, error),
  );

  expect(delays).toEqual([500, 1_000, 2_000, 20_000, null]);
  const bound = { cmd: 'room.sync', isBound: true, retries: 99 };
  expect(delayBeforeRetry(bound, error)).toBe(20_000);
});

function nothing(): void {}
