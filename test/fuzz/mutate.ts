import type { Random } from '../support/random.js';

const LONG = 5_000;
const VERY_DEEP = 3_000;

/** Returns JSON that is nested to a depth. */
export function nested(depth: number, open = '[', close = ']'): string {
  return open.repeat(depth) + close.repeat(depth);
}

// JSON texts, because a JavaScript literal cannot have an own key `__proto__`.
const ODD_VALUES = [
  'null',
  'true',
  'false',
  '0',
  '-1',
  '1.5',
  '1e308',
  '-0',
  '9007199254740993',
  '1e400',
  '""',
  '" "',
  '"\\u0000"',
  '"a\\u0000b"',
  '"\\ud800"',
  '"\\udc00\\ud800"',
  '"\\u202e\\u200b"',
  '"\\uffff"',
  '"__proto__"',
  '"constructor"',
  '"toString"',
  '"@me"',
  '"@me:other"',
  '"GENERAL"',
  '"../../etc/passwd"',
  '"\' OR 1=1 --"',
  '"%00%n%s"',
  `"${'x'.repeat(LONG)}"`,
  `"${'\u{1F600}'.repeat(2_100)}"`,
  '"2026-11-21T00:00:00Z"',
  '[]',
  '{}',
  '[null]',
  '[[],{}]',
  '{"length":1000000000}',
  '{"length":{"toString":1,"valueOf":null}}',
  '{"toString":1,"valueOf":null}',
  '{"toJSON":"x","then":"y"}',
  '{"__proto__":{"polluted":true}}',
  '{"constructor":{"prototype":{"polluted":true}}}',
  '{"_placeholder":true,"num":0}',
  nested(15),
  nested(17),
  nested(200, '{"a":', '}').replace('{"a":}', '{"a":1}'),
  nested(VERY_DEEP),
  `[${'0,'.repeat(1_000)}0]`,
];

const ODD_KEYS = ['__proto__', 'constructor', 'prototype', 'toString', '', 'id', 'data', '\u0000'];

/** Returns an unusual value. */
export function oddValue(random: Random): unknown {
  return JSON.parse(random.pick(ODD_VALUES)) as unknown;
}

/** Returns a copy of a JSON value with one random change. */
export function mutate(value: unknown, random: Random): unknown {
  if (Array.isArray(value) && value.length > 0 && random.chance(0.6)) {
    const copy = [...(value as unknown[])];
    const at = random.between(0, copy.length - 1);
    copy[at] = mutate(copy[at], random);
    return copy;
  }
  if (typeof value === 'object' && value !== null && random.chance(0.9)) {
    return mutateObject(value as Record<string, unknown>, random);
  }
  if (typeof value === 'string' && random.chance(0.3)) return mutateText(value, random);
  return oddValue(random);
}

function mutateObject(value: Record<string, unknown>, random: Random): unknown {
  const copy = { ...value };
  const keys = Object.keys(copy);
  const key = keys.length === 0 ? undefined : random.pick(keys);
  const kind = random.next();
  if (key === undefined || kind < 0.15) return withKey(copy, random.pick(ODD_KEYS), random);
  if (kind < 0.3) Reflect.deleteProperty(copy, key);
  else if (kind < 0.4) copy[key.toUpperCase()] = copy[key];
  else copy[key] = mutate(copy[key], random);
  return copy;
}

function withKey(copy: Record<string, unknown>, key: string, random: Random): unknown {
  const value = oddValue(random);
  return Object.defineProperty(copy, key, { value, enumerable: true, configurable: true });
}

/** Changes a text: truncates it, repeats a part, or inserts an unusual character. */
export function mutateText(text: string, random: Random): string {
  const at = random.between(0, text.length);
  const kind = random.next();
  if (kind < 0.25) return text.slice(0, at);
  if (kind < 0.4) return text.slice(0, at) + text.slice(Math.max(0, at - 8));
  if (kind < 0.7) {
    return text.slice(0, at) + String.fromCharCode(random.between(0, 0xffff)) + text.slice(at);
  }
  return text.slice(0, at) + random.pick([...'{}[]":,\\0e-.ntf\u001e']) + text.slice(at + 1);
}
