import type { Random } from '../support/random.js';
import { mutatedCommand, type Known } from './examples.js';
import { mutateText, nested, oddValue } from './mutate.js';

/** A text to send to a server; `reply` is the id of the single reply that it must get. */
export interface Attempt {
  readonly text: string;
  readonly reply?: string;
}

let lastId = 0;

const DEEP_FRAMES = [
  nested(30_000),
  nested(10_000, '{"a":', '}').replace('{"a":}', '{"a":1}'),
  `{"cmd":"room.join","data":${nested(20_000)}}`,
];

/** Returns a random attempt for a raw WebSocket. */
export function webSocketAttempt(known: Known, random: Random): Attempt {
  const { cmd, data } = mutatedCommand(known, random);
  const id = `f${String(++lastId)}`;
  const kind = random.next();
  if (kind < 0.65) return { text: JSON.stringify({ id, cmd, data }), reply: id };
  if (kind < 0.75) return { text: JSON.stringify({ cmd, data }) };
  if (kind < 0.77) return { text: random.pick(DEEP_FRAMES) };
  if (kind < 0.88) return { text: JSON.stringify(oddFrame(cmd, data, random)) };
  return { text: mutateText(JSON.stringify({ cmd, data }), random) };
}

function oddFrame(cmd: string, data: unknown, random: Random): unknown {
  const kind = random.next();
  if (kind < 0.3) return { id: oddValue(random), cmd, data };
  if (kind < 0.5) return { cmd: oddValue(random), data };
  if (kind < 0.7) return { cmd, data, [JSON.stringify(oddValue(random)).slice(0, 50)]: 1 };
  if (kind < 0.8) return { re: 'x', ok: true, data };
  return oddValue(random);
}

const ODD_PACKETS = [
  '',
  '4',
  '40',
  '40{"token":1}',
  '40/admin,',
  '40/admin,{"a":1}',
  '41',
  '42',
  '42[]',
  '42[null]',
  '42[1]',
  '42[5,{}]',
  '42["connect"]',
  '42["disconnect"]',
  '42["newListener",1]',
  '42["__proto__",{}]',
  '42["constructor"]',
  '42["hasOwnProperty",1]',
  '42{"a":1}',
  '42"x"',
  '42/x,["session.ping",{}]',
  '4299999999999999999999["session.ping",{}]',
  '42-1["session.ping",{}]',
  '421.5["session.ping",{}]',
  '430["not asked for"]',
  '431[]',
  '44{"message":"x"}',
  '451-["session.ping",{"_placeholder":true,"num":0}]',
  '4599999999-["session.ping",{"_placeholder":true,"num":9}]',
  '460-[]',
  '47',
  '4x',
  '0',
  '0{"sid":"x"}',
  '1',
  '2',
  '2probe',
  '3',
  '3probe',
  '5',
  '6',
  '7',
  'b',
  'bAAAA',
  'b!!!',
  `42[${nested(20_000)}]`,
  `42["session.ping",${nested(20_000)}]`,
];

/** Returns a random Socket.IO packet. */
export function packetAttempt(known: Known, random: Random): Attempt {
  const { cmd, data } = mutatedCommand(known, random);
  const kind = random.next();
  // Acks are matched by this number, so it must be one that the parser accepts.
  const id = String(1_000_000 + ++lastId);
  if (kind < 0.8) return { text: `42${id}${JSON.stringify([cmd, data])}`, reply: id };
  if (kind < 0.85) return { text: `42${JSON.stringify([cmd, data])}` };
  if (kind < 0.88) return { text: `42${id}${JSON.stringify([cmd, data, 1])}`, reply: id };
  if (kind < 0.9) return { text: `42${id}${JSON.stringify([cmd])}`, reply: id };
  if (kind < 0.93) return { text: `42${JSON.stringify([oddValue(random), data])}` };
  if (kind < 0.97) return { text: random.pick(ODD_PACKETS) };
  return { text: mutateText(`42${JSON.stringify([cmd, data])}`, random) };
}
