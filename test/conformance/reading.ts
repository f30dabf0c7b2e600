import assert from 'node:assert/strict';

import type { Replay } from '#src/protocol/pages.js';
import type { LogEvent } from '#src/protocol/events.js';
import type { Message, Position, RoomCut } from '#src/protocol/models.js';
import type { Welcome } from '#src/protocol/welcome.js';

import type { TestClient } from '../support/client.js';

/** A page of a log. */
export type Page = Extract<Replay, { complete: true }>;

/** Syncs without a position; returns the cut. */
export async function readCut(client: TestClient, room: string): Promise<RoomCut> {
  const reply = await client.ok('room.sync', { room });
  assert('members' in reply, 'the reply is a cut');
  return reply;
}

/** Returns the current position of a room. */
export async function positionIn(client: TestClient, room: string): Promise<Position> {
  const { epoch, seq } = await readCut(client, room);
  return { epoch, seq };
}

/** Says hello with the positions of another connection of the same user; returns the welcome. */
export function resumeBy(
  client: TestClient,
  { token }: Welcome,
  resume: Readonly<Record<string, Position>>,
): Promise<Welcome> {
  return client.ok('hello', { protocol: 1, token, resume });
}

/** Syncs from a position; returns a page or the reason why there is none. */
export async function replay(client: TestClient, room: string, from: Position): Promise<Replay> {
  const reply = await client.ok('room.sync', { room, epoch: from.epoch, after: from.seq });
  assert('complete' in reply, 'the reply is a page');
  return reply;
}

/** Syncs from a position; returns the page, and throws if there is none. */
export async function readPage(client: TestClient, room: string, from: Position): Promise<Page> {
  const page = await replay(client, room, from);
  assert(page.complete, `${room} is replayed: ${JSON.stringify(page)}`);
  return page;
}

/** Returns all events after a position, read page by page. */
export async function readLog(
  client: TestClient,
  room: string,
  { epoch, seq }: Position,
): Promise<LogEvent[]> {
  const events: LogEvent[] = [];
  for (let after = seq, more = true; more;) {
    const page = await readPage(client, room, { epoch, seq: after });
    assert(page.seq > after || !page.hasMore, 'a page continues the previous one');
    events.push(...(page.events as unknown as LogEvent[]));
    after = page.seq;
    more = page.hasMore;
  }
  return events;
}

/** Returns all messages of a room, read page by page from the latest. */
export async function readHistory(
  client: TestClient,
  room: string,
  limit = 100,
): Promise<Message[]> {
  const messages: Message[] = [];
  let before: number | undefined;
  for (let more = true; more;) {
    const bound = before === undefined ? {} : { before };
    const page = await client.ok('message.history', { room, limit, ...bound });
    messages.unshift(...page.messages);
    before = page.messages[0]?.seq;
    more = page.hasMore;
  }
  return messages;
}

/** Returns the integers between two bounds, both included. */
export function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index);
}

/** Returns the positions of events. */
export function seqsOf(events: readonly { readonly data: object }[]): number[] {
  return events.map(({ data }) => (data as { seq: number }).seq);
}
