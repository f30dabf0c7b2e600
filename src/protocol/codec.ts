import { ProtocolError } from './errors.js';
import { CommandId, type CommandFrame, type Outcome } from './frames.js';

const FIELDS = new Set(['id', 'cmd', 'data']);

/**
 * Decodes the text of one command frame (P-3.1).
 *
 * @throws ProtocolError `bad_frame`; its `details.id` is the id, if that could be read.
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

/** Checks that a value is a command frame, whatever carried it (P-3.1). */
export function checkCommand(frame: unknown): CommandFrame {
  if (!isJsonObject(frame)) throw badFrame('A frame is a JSON object.');
  const { id, cmd } = frame;
  if (id !== undefined && !isCommandId(id)) {
    throw badFrame('An id is a string of 1 to 64 bytes or an integer.');
  }
  if (typeof cmd !== 'string') throw badFrame('A command has a string `cmd`.', id);
  for (const field of Object.keys(frame)) {
    if (!FIELDS.has(field)) throw badFrame('A command has the fields id, cmd and data only.', id);
  }
  return frame as unknown as CommandFrame;
}

/**
 * Encodes an event as the text of a frame (P-3.1).
 *
 * @throws TypeError for data that JSON has no form for
 */
export function encodeEvent(event: string, data: unknown): string {
  return `{"event":${JSON.stringify(event)},"data":${encodeValue(data)}}`;
}

/**
 * Encodes the answer to the command `re` as the text of a frame (P-3.2).
 *
 * @throws TypeError for data that JSON has no form for
 */
export function encodeReply(re: CommandId, outcome: Outcome): string {
  return `{"re":${JSON.stringify(re)},${encodeOutcome(outcome)}}`;
}

/**
 * Encodes what a reply tells, without the braces around it (P-3.1).
 *
 * @throws TypeError for data that JSON has no form for
 */
export function encodeOutcome(outcome: Outcome): string {
  return outcome.ok
    ? `"ok":true,"data":${encodeValue(outcome.data)}`
    : `"ok":false,"error":${encodeValue(outcome.error)}`;
}

/**
 * Encodes a value as JSON; unlike `JSON.stringify`, it gives a text or throws.
 *
 * @throws TypeError for what JSON has no form for
 */
export function encodeValue(value: unknown): string {
  const text = JSON.stringify(value) as string | undefined;
  if (text === undefined) throw new TypeError(`JSON has no form for this ${typeof value}`);
  return text;
}

/** Tells whether JSON data is nested deeper than `max` levels, without recursion (P-9.4). */
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

/** Tells whether a value is a JSON object, and no array (P-1.1). */
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
