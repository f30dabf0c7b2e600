import { randomBytes } from 'node:crypto';

import { Envelopes, type OpenFrame } from '#src/bus/envelope.js';

const CLUSTER = 'cluster-1';
const KEY = randomBytes(32);
const BOOTS = [newBoot(), newBoot()] as const;

const sender = new Envelopes(CLUSTER, KEY, BOOTS[0]);
const receiver = new Envelopes(CLUSTER, KEY, BOOTS[1]);

test('a frame arrives with its sender, number and body', () => {
  const frame = receiver.open('p.1', sender.seal('p.1', 2 ** 40, '{"a":"ü"}')) as OpenFrame;

  expect({ ...frame, body: frame.body.toString() }).toEqual({
    format: 1,
    boot: BOOTS[0],
    counter: 2 ** 40,
    body: '{"a":"ü"}',
  });
});

test('a frame of an unknown format is authenticated, too', () => {
  const frame = receiver.open('p.1', sender.seal('p.1', 7, 'new', 2));

  expect(frame).toMatchObject({ format: 2, boot: BOOTS[0], counter: 7 });
});

test('a node recognizes its own frames', () => {
  expect(sender.open('p.1', sender.seal('p.1', 1, '{}'))).toBe('own');
});

test('each changed bit makes a frame a forgery', () => {
  const frame = sender.seal('p.1', 1, '{"x":1}');
  for (let bit = 0; bit < frame.length * 8; bit++) {
    const forged = Buffer.from(frame);
    forged[bit >> 3] = (forged[bit >> 3] ?? 0) ^ (1 << (bit & 7));

    expect(receiver.open('p.1', forged)).toBe('forged');
  }
});

test('a shorter or longer frame is a forgery', () => {
  const frame = sender.seal('p.1', 1, '{"x":1}');
  for (let length = 0; length < frame.length; length++) {
    expect(receiver.open('p.1', frame.subarray(0, length))).toBe('forged');
  }

  expect(receiver.open('p.1', Buffer.concat([frame, Buffer.alloc(1)]))).toBe('forged');
});

test.each([
  ['another subject', sender, 'p.2'],
  ['another cluster', new Envelopes('cluster-2', KEY, BOOTS[0]), 'p.1'],
  ['another key', new Envelopes(CLUSTER, randomBytes(32), BOOTS[0]), 'p.1'],
])('a frame of %s is a forgery', (_name, from, subject) => {
  expect(receiver.open('p.1', from.seal(subject, 1, '{}'))).toBe('forged');
});

test('a short key or boot id is refused', () => {
  expect(() => new Envelopes(CLUSTER, randomBytes(31), newBoot())).toThrow(RangeError);
  expect(() => new Envelopes(CLUSTER, KEY, 'short')).toThrow(RangeError);
});

function newBoot(): string {
  return randomBytes(16).toString('base64url');
}
