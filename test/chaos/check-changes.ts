import type { Message } from '#src/protocol/models.js';

import { idOf } from './event-print.js';
import type { Change, Evidence, RoomReading } from './evidence.js';

/** Finds edits, deletions and reactions that are lost, doubled, or made although they were refused. */
export function checkChanges({ clients, readings }: Evidence): string[] {
  const changes = clients.flatMap((client) => client.changes);
  return readings.flatMap((reading) => {
    const ofRoom = changes.filter(({ room }) => room === reading.room);
    const messages = new Map(reading.history.map((message) => [message.id, message]));
    const where = `in ${reading.room} at node ${String(reading.node)}`;
    return [...groupBy(ofRoom, targetOf).values()].flatMap((group) => {
      const message = messages.get(group[0]?.message ?? '');
      if (message === undefined) return [];
      return checkGroup(group, message, reading).map((what) => `${what} ${where}`);
    });
  });
}

function checkGroup(group: readonly Change[], message: Message, reading: RoomReading): string[] {
  switch (group[0]?.kind) {
    case 'edit':
      return [...checkCount(group, 'message.edited', reading), ...checkText(group, message)];
    case 'delete':
      return [...checkCount(group, 'message.deleted', reading), ...checkDeletion(group, message)];
    default:
      return checkReaction(group, message);
  }
}

/** Every edit has another text, so each that took effect is in the log once. */
function checkCount(group: readonly Change[], event: string, { log }: RoomReading): string[] {
  const id = group[0]?.message;
  const made = log.filter((one) => one.event === event && idOf(one.data['message']) === id).length;
  const sure = count(group, 'acknowledged');
  const possible = sure + count(group, 'unknown');
  // A deletion of a deleted message succeeds without an event.
  const least = event === 'message.deleted' ? Math.min(1, sure) : sure;
  if (made < least)
    return [`lost: ${String(sure)} acknowledged, but ${String(made)} ${event} of ${String(id)}`];
  if (made <= possible) return [];
  return [
    `doubled or refused: ${String(made)} ${event} of ${String(id)}, but at most ${String(possible)}`,
  ];
}

function checkText(group: readonly Change[], { id, text, deletedAt }: Message): string[] {
  if (deletedAt !== undefined) return [];
  const possible = possibleLast(group);
  if (possible === null || possible.some(({ content }) => content === text)) return [];
  const texts = possible.map(({ content }) => `"${content}"`).join(' or ');
  return [`lost: ${id} has the text "${text}" instead of ${texts}`];
}

function checkDeletion(group: readonly Change[], { id, deletedAt, text }: Message): string[] {
  if (deletedAt !== undefined && text !== '') return [`deleted message ${id} still has its text`];
  return count(group, 'acknowledged') > 0 && deletedAt === undefined
    ? [`lost: the deletion of ${id}`]
    : [];
}

function checkReaction(group: readonly Change[], message: Message): string[] {
  const possible = possibleLast(group);
  const [first] = group;
  if (possible === null || first === undefined || message.deletedAt !== undefined) return [];
  const { user, content } = first;
  const users = message.reactions.find(({ emoji }) => emoji === content)?.users ?? [];
  const kind = users.includes(user) ? 'react' : 'unreact';
  if (possible.some((change) => change.kind === kind)) return [];
  const state = kind === 'react' ? 'still there' : 'gone';
  return [`lost: the reaction ${content} of ${user} to ${message.id} is ${state}`];
}

/**
 * Returns the changes of which one was the last that took effect: the last acknowledged one, or one
 * of unknown outcome after it. Returns null if it may be that none took effect.
 */
function possibleLast(group: readonly Change[]): Change[] | null {
  const last = group.findLastIndex(({ outcome }) => outcome.is === 'acknowledged');
  if (last === -1) return null;
  return group.slice(last).filter(({ outcome }) => outcome.is !== 'refused');
}

function count(group: readonly Change[], outcome: Change['outcome']['is']): number {
  return group.filter((change) => change.outcome.is === outcome).length;
}

function targetOf({ kind, message, user, content }: Change): string {
  if (kind === 'edit' || kind === 'delete') return `${kind} ${message}`;
  return `reaction ${message} ${user} ${content}`;
}

function groupBy<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return groups;
}
