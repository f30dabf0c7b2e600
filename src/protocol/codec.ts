import { ProtocolError } from './errors.js';
import { CommandId, type CommandFrame, type Outcome } from './frames.js';

const FIELDS = new Set(['id', 'cmd', 'data']);

/**
 * Decodes the text of one command frame (P-3.1).
 *
 * @throws ProtocolError `bad_frame`, with the id in `details.id` if it could be read
 */
export function decodeCommand(text: string): CommandFrame {
  let frame: unknown;
  try {
    frame = JSON.parse(text);
  } catch {
    throw badFrame('The frame is not JSON.');
  }
  return checkCommand(frame);
}

/**
 * Checks that a decoded value is a command frame (P-3.1).
 *
 * @throws ProtocolError `bad_frame`, with the id in `details.id` if it is valid
 */
export function checkCommand(frame: unknown): CommandFrame {
  if (!isJsonObject(frame)) throw badFrame('The frame is not a JSON object.');
  const { id, cmd } = frame;
  if (id !== undefined && !isCommandId(id)) {
    throw badFrame('The id must be a string of 1 to 64 bytes or an integer.');
  }
  if (typeof cmd !== 'string') throw badFrame('The field cmd must be a string.', id);
  for (const field of Object.keys(frame)) {
    if (!FIELDS.has(field)) throw badFrame('A command has only the fields id, cmd and data.', id);
  }
  return frame as unknown as CommandFrame;
}

/**
 * Encodes an event as the text of a frame (P-3.1).
 *
 * @throws TypeError for data that JSON cannot express
 */
export function encodeEvent(event: string, data: unknown): string {
  return `{"event":${JSON.stringify(event)},"data":${encodeValue(data)}}`;
}

/**
 * Encodes the reply to the command `re` as the text of a frame (P-3.2).
 *
 * @throws TypeError for data that JSON cannot express
 */
export function encodeReply(re: CommandId, outcome: Outcome): string {
  return `{"re":${JSON.stringify(re)},${encodeOutcome(outcome)}}`;
}

/**
 * Encodes the outcome in a reply, without braces around its fields (P-3.1).
 *
 * @throws TypeError for data that JSON cannot express
 */
export function encodeOutcome(outcome: Outcome): string {
  return outcome.ok
    ? `"ok":true,"data":${encodeValue(outcome.data)}`
    : `"ok":false,"error":${encodeValue(outcome.error)}`;
}

/** JSON of immutable values; null before the first use. */
const texts = new WeakMap<object, string | null>();
/** Values whose parts are encoded separately. */
const composites = new WeakSet<object>();

/** Marks a value as immutable, so that it is encoded only once. */
export function encodeOnce<T extends object>(value: T): T {
  if (!texts.has(value)) texts.set(value, null);
  return value;
}

/** Marks an object or array that contains values marked by {@link encodeOnce}. */
export function encodeByParts<T extends object>(value: T): T {
  composites.add(value);
  return value;
}

/**
 * Encodes a value as JSON. Unlike `JSON.stringify`, it never returns undefined.
 *
 * @throws TypeError for a value that JSON cannot express
 */
export function encodeValue(value: unknown): string {
  if (typeof value !== 'object' || value === null) return stringify(value);
  const known = texts.get(value);
  if (known === undefined) return composites.has(value) ? encodeParts(value) : stringify(value);
  if (known !== null) return known;
  const text = composites.has(value) ? encodeParts(value) : stringify(value);
  texts.set(value, text);
  return text;
}

function encodeParts(value: object): string {
  if (Array.isArray(value)) return `[${value.map(encodeValue).join(',')}]`;
  const fields: string[] = [];
  for (const [name, part] of Object.entries(value) as [string, unknown][]) {
    if (part !== undefined) fields.push(`${JSON.stringify(name)}:${encodeValue(part)}`);
  }
  return `{${fields.join(',')}}`;
}

function stringify(value: unknown): string {
  const text = JSON.stringify(value) as string | undefined;
  if (text === undefined)
    throw new TypeError(`JSON cannot express a value of type ${typeof value}`);
  return text;
}

/** Returns whether JSON data is nested deeper than `max` levels; does not recurse (P-9.4). */
export function isDeeperThan(data: unknown, max: number): boolean {
  if (typeof data !== 'object' || data === null) return false;
  let level: object[] = [data];
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > max) return true;
    const next: object[] = [];
    for (const parent of level) {
      for (const child of Object.values(parent) as unknown[]) {
        if (typeof child === 'object' && child !== null) next.push(child);
      }
    }
    level = next;
  }
  return false;
}

/** Returns whether a value is a JSON object and not an array (P-1.1). */
export function isJsonObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCommandId(id: unknown): id is CommandId {
  if (typeof id === 'string' && id.length > 0 && id.length <= 21) return true;
  return (typeof id === 'string' || typeof id === 'number') && CommandId.safeParse(id).success;
}

function badFrame(message: string, id?: CommandId): ProtocolError {
  return new ProtocolError('bad_frame', {
    message,
    ...(id === undefined ? {} : { details: { id } }),
  });
}
