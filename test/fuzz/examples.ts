import type { CommandName } from '#src/protocol/commands.js';

import type { Random } from '../support/random.js';
import { mutate } from './mutate.js';

/** Ids that exist on the server, so that examples pass the first checks. */
export interface Known {
  readonly room: string;
  readonly epoch: string;
  readonly message: string;
  readonly user: string;
}

/** A command to send. */
export interface Example {
  readonly cmd: string;
  readonly data: unknown;
}

type Examples = { [C in CommandName]: readonly object[] };

const hello = (room: string, epoch: string) => [
  { protocol: 1, name: 'fuzz', client: { name: 'fuzz', version: '1' }, heartbeat: 'frames' },
  { protocol: 1, token: 'a.b.c', resume: { [room]: { epoch, seq: 1 } } },
];

/** Returns valid data for each command. */
export function validData({ room, epoch, message, user }: Known): Examples {
  const onMessage = { room, message };
  return {
    hello: hello(room, epoch),
    'session.ping': [{}],
    'auth.refresh': [{}, { token: 'a.b.c' }],
    'room.create': [{ room: 'fuzz-made', title: 'Made' }],
    'room.list': [{}, { after: 'a', limit: 3, mine: true }],
    'room.join': [{ room }, { room: 'fuzz-other', create: true, title: 'Other' }],
    'room.leave': [{ room: 'fuzz-other' }],
    'room.get': [{ room }],
    'room.update': [{ room, title: 'Titled' }],
    'room.members': [{ room, after: user, limit: 2 }],
    'room.sync': [{ room }, { room, epoch, after: 1 }, { room: '@me', epoch, after: 0 }],
    'dm.open': [{ user }],
    'dm.list': [{ limit: 3 }, { after: '1.@dm-Zp4w8dRf1s6JuX0eQm9x2vLk' }],
    'message.send': [
      { room, text: 'hi', cid: 'c-1' },
      { room, text: 'hi', replyTo: message, cause: message },
    ],
    'message.edit': [{ ...onMessage, text: 'edited' }],
    'message.delete': [onMessage],
    'message.react': [{ ...onMessage, emoji: '👍' }],
    'message.unreact': [{ ...onMessage, emoji: '👍' }],
    'message.get': [onMessage],
    'message.history': [
      { room, before: 10, limit: 5 },
      { room, around: 3 },
      { room, after: 0 },
    ],
    'message.status': [{ room, cid: 'c-1' }],
    'typing.set': [{ room, active: true }],
    'user.get': [{ user }],
    'user.update': [{ name: 'fuzz' }],
    'user.block': [{ user }],
    'user.unblock': [{ user }],
    'user.blocks': [{ after: user, limit: 3 }],
    'bot.add': [{ room, bot: 'dice' }],
    'bot.remove': [{ room, bot: 'dice' }],
    'bot.ack': [{ room, seq: 1 }],
    'bot.load': [
      { owner: { room }, key: 'k' },
      { owner: { alarms: room }, after: 'a', limit: 3 },
    ],
    'bot.store': [{ changes: [{ owner: { user }, key: 'k', value: { n: [1] } }] }],
    'bot.commands': [{ room }],
    'bot.status': [{}, { room }],
  };
}

/** Returns a command with up to three mutations of valid data. */
export function mutatedCommand(known: Known, random: Random): Example {
  const valid = validData(known);
  const cmd = random.pick(Object.keys(valid)) as CommandName;
  let data: unknown = random.pick(valid[cmd]);
  for (let changes = random.between(0, 3); changes > 0; changes--) data = mutate(data, random);
  return { cmd: random.chance(0.05) ? cmd.toUpperCase() : cmd, data };
}
