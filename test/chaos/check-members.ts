import type { ReceivedEvent } from '../support/client.js';
import { idOf } from './event-print.js';
import type { Evidence, RoomReading } from './evidence.js';

/** Finds gaps in the logs, and events in them by users who were no members at that position. */
export function checkMembers({ readings }: Evidence): string[] {
  return readings.flatMap((reading) => [...findGaps(reading), ...findOutsiders(reading)]);
}

function findGaps({ node, room, log }: RoomReading): string[] {
  const at = log.findIndex(({ data }, index) => data['seq'] !== index + 1);
  if (at === -1) return [];
  const found = `${String(log[at]?.data['seq'])} where ${String(at + 1)} belongs`;
  return [`the log of ${room} at node ${String(node)} has ${found}`];
}

function findOutsiders({ node, room, log }: RoomReading): string[] {
  const members = new Set<string>();
  const found: string[] = [];
  for (const { event, data } of log) {
    const where = `at ${String(data['seq'])} of ${room} at node ${String(node)}`;
    const joined = idOf((data['member'] as { user?: unknown } | undefined)?.user);
    if (event === 'member.joined' && joined !== undefined) {
      if (members.has(joined)) found.push(`${joined} joins as a member ${where}`);
      members.add(joined);
    }
    const author = authorOf({ event, data });
    if (author !== undefined && !members.has(author)) {
      found.push(`${event} by ${author}, who is no member, ${where}`);
    }
    if (event === 'member.left') members.delete(String(author));
  }
  return found;
}

/** Returns the user who caused an event, if only a member can. */
function authorOf({ event, data }: ReceivedEvent): string | undefined {
  if (event === 'message.created') {
    return idOf((data['message'] as { sender?: unknown } | undefined)?.sender);
  }
  return /^(member\.left|reaction\.)/.test(event) ? idOf(data['user']) : undefined;
}
