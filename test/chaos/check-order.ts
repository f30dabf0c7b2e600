import { nameOf } from './check-messages.js';
import type { Evidence, RoomReading, SentMessage } from './evidence.js';

interface Stored {
  readonly sent: SentMessage;
  readonly seq: number;
}

/** Finds messages that are stored in another order than that in which they were sent. */
export function checkOrder({ clients, readings }: Evidence): string[] {
  const sent = new Map(clients.flatMap((one) => one.sent).map((one) => [keyOf(one), one]));
  const rooms = new Map(readings.map((reading) => [reading.room, reading]));
  return [...rooms.values()].flatMap((reading) => {
    const stored = storedIn(reading, sent);
    return [...findSenderOrder(stored), ...findRealTime(stored)];
  });
}

function storedIn(reading: RoomReading, sent: ReadonlyMap<string, SentMessage>): Stored[] {
  return reading.history
    .flatMap(({ sender, cid = '', seq }) => {
      const one = sent.get(`${reading.room} ${sender.id} ${cid}`);
      return one === undefined ? [] : [{ sent: one, seq }];
    })
    .sort((a, b) => a.seq - b.seq);
}

/** On one connection, what a sender sent first is stored first. */
function findSenderOrder(stored: readonly Stored[]): string[] {
  const found: string[] = [];
  const last = new Map<string, Stored>();
  for (const one of stored) {
    const connection = onlyConnection(one.sent);
    if (connection === undefined) continue;
    const key = `${one.sent.sender} ${String(connection)}`;
    const before = last.get(key);
    if (before !== undefined && lastAt(one.sent) < firstAt(before.sent)) {
      found.push(`order: ${describe(one)} comes after ${describe(before)}, but was sent before it`);
    }
    last.set(key, one);
  }
  return found;
}

/** Checks that an acknowledged write is stored before any write that was sent later. */
function findRealTime(stored: readonly Stored[]): string[] {
  const found: string[] = [];
  let earliest: { one: Stored; at: number } | undefined;
  for (const one of stored.toReversed()) {
    if (earliest !== undefined && earliest.at < firstAt(one.sent)) {
      const late = `${describe(earliest.one)} was acknowledged before ${describe(one)} was sent`;
      found.push(`order: ${late}, but comes after it`);
    }
    const { outcome } = one.sent;
    if (outcome.is !== 'acknowledged' || outcome.at >= (earliest?.at ?? Infinity)) continue;
    earliest = { one, at: outcome.at };
  }
  return found;
}

/** Returns the connection of all attempts; undefined if they differ. */
function onlyConnection({ attempts }: SentMessage): number | undefined {
  const connections = new Set(attempts.map(({ connection }) => connection));
  return connections.size === 1 ? attempts[0]?.connection : undefined;
}

function firstAt({ attempts }: SentMessage): number {
  return attempts[0]?.at ?? 0;
}

function lastAt({ attempts }: SentMessage): number {
  return attempts.at(-1)?.at ?? 0;
}

function describe({ sent, seq }: Stored): string {
  return `${nameOf(sent)} at ${String(seq)} of ${sent.room}`;
}

function keyOf(sent: SentMessage): string {
  return `${sent.room} ${nameOf(sent)}`;
}
