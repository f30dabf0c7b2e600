import { isDeepStrictEqual } from 'node:util';

import type { LogEvent } from '#src/protocol/events.js';

import type { ReceivedEvent } from '../support/client.js';
import { RoomCopy, type RoomState } from '../support/room-copy.js';
import type { ClientRecord, Evidence, RoomReading } from './evidence.js';

/** Finds rooms whose state, built from a snapshot and the events after it, is not the fresh one. */
export function checkState({ clients, readings }: Evidence): string[] {
  const firsts = new Map<string, RoomReading>();
  const found = readings.flatMap((reading) => {
    const first = firsts.get(reading.room) ?? reading;
    firsts.set(reading.room, first);
    return [...checkReading(reading), ...compareNodes(first, reading)];
  });
  return [...found, ...clients.flatMap((client) => checkClient(client, firsts))];
}

function checkReading(reading: RoomReading): string[] {
  const { node, room, epoch, log, earlier } = reading;
  const fresh = freshState(reading);
  const where = `of ${room} at node ${String(node)}`;
  const whole = fold(RoomCopy.empty(epoch), log);
  const found = compare(`the log ${where}`, whole, fresh);
  if (earlier === undefined) return found;
  const { cut, events } = earlier;
  const partial = fold(RoomCopy.fromCut(cut), events);
  const replay = `the cut at ${String(cut.seq)} and the events after it ${where}`;
  return [...found, ...compare(replay, partial, onlyKnown(fresh, partial, cut.seq))];
}

function compareNodes(first: RoomReading, second: RoomReading): string[] {
  if (first === second) return [];
  const nodes = `node ${String(second.node)}`;
  return compare(`${second.room} at ${nodes}`, freshState(second), freshState(first));
}

/** Compares the rooms that a client has at the end, if it received them without a break. */
function checkClient(client: ClientRecord, readings: ReadonlyMap<string, RoomReading>): string[] {
  return [...readings].flatMap(([room, reading]) => {
    const held = holdRoom(client, room);
    if (held === null || held.copy.position.seq !== reading.log.length) return [];
    const state = held.copy.state();
    const fresh = onlyKnown(freshState(reading), state, held.since);
    return compare(`${room} as ${client.name} has it`, state, fresh);
  });
}

function holdRoom(
  { observations }: ClientRecord,
  room: string,
): { copy: RoomCopy; since: number } | null {
  let held: { copy: RoomCopy; since: number } | null = null;
  for (const seen of observations) {
    if (seen.is === 'cut' && seen.cut.room === room) {
      held = { copy: RoomCopy.fromCut(seen.cut), since: seen.cut.seq };
    } else if (held !== null && seen.is === 'page' && seen.room === room) {
      fold(held.copy, seen.events);
    } else if (held !== null && seen.is === 'event' && seen.event.data['room'] === room) {
      fold(held.copy, [seen.event]);
    }
  }
  return held;
}

function freshState({ cut, history }: RoomReading): RoomState {
  return RoomCopy.fromCut(cut, history).state();
}

function fold(copy: RoomCopy, events: readonly ReceivedEvent[]): RoomState {
  for (const event of events) {
    if (event.data['seq'] !== undefined) copy.apply(event as unknown as LogEvent);
  }
  return copy.state();
}

/** Leaves out messages that a client need not have: those before its cut that the cut lacks. */
function onlyKnown(fresh: RoomState, known: RoomState, since: number): RoomState {
  const ids = new Set(known.messages.map(idOf));
  const messages = fresh.messages.filter(
    (message) => ids.has(idOf(message)) || (message as { seq: number }).seq > since,
  );
  return { ...fresh, messages };
}

function idOf(message: object): string {
  return (message as { id: string }).id;
}

function compare(what: string, actual: RoomState, expected: RoomState): string[] {
  const fields = Object.keys(expected) as (keyof RoomState)[];
  return fields
    .filter((field) => !isDeepStrictEqual(actual[field], expected[field]))
    .map(
      (field) =>
        `${what} has other ${field} than a fresh copy: ${difference(actual[field], expected[field])}`,
    );
}

function difference(actual: unknown, expected: unknown): string {
  const [first, second] = [toList(actual), toList(expected)];
  const at = first.findIndex((one, index) => !isDeepStrictEqual(one, second[index]));
  const index = at === -1 ? first.length : at;
  return `${shorten(first[index])} instead of ${shorten(second[index])}`;
}

function toList(value: unknown): unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [value];
}

function shorten(value: unknown): string {
  return value === undefined ? 'nothing' : JSON.stringify(value).slice(0, 300);
}
