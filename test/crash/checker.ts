import type { Message } from '#src/protocol/models.js';

import type { ReceivedEvent } from '../support/client.js';
import type { ReactionMark, RoomLedger, SentMessage } from './ledger.js';
import { toEntry, type LogEntry, type SeenLog } from './seen-log.js';

/** Everything recorded about a room, after all writes and deliveries have ended. */
export interface Evidence {
  readonly ledger: RoomLedger;
  /** The log from its start, as `room.sync` replays it. */
  readonly log: readonly ReceivedEvent[];
  /** All messages, as `message.history` returns them. */
  readonly history: readonly Message[];
  readonly seen: readonly SeenLog[];
  /** Whether messages of a sender may be stored in another order, because it retried them one by one. */
  readonly mayOvertake?: boolean;
}

/** Returns the violations of the guarantees: nothing lost, nothing duplicated, one order, no gaps. */
export function findViolations(evidence: Evidence): string[] {
  const facts = new Facts(evidence);
  const { ledger, seen, mayOvertake = false } = evidence;
  return [
    ...findGaps(facts.entries),
    ...findDoubles(evidence.history, facts),
    ...findInvented(evidence.history, ledger),
    ...ledger.messages.flatMap((message) => checkMessage(message, facts)),
    ...ledger.reactions.flatMap((mark) => checkReaction(mark, facts)),
    ...(mayOvertake ? [] : findOvertaking(ledger)),
    ...seen.flatMap((log) => checkSeen(log, facts.entries)),
  ];
}

/** The evidence, indexed by id and by position. */
class Facts {
  readonly entries: LogEntry[];
  readonly messages: Map<string, Message>;
  private readonly counts = new Map<string, number>();

  constructor({ log, history }: Evidence) {
    this.entries = log.map(toEntry);
    this.messages = new Map(history.map((message) => [message.id, message]));
    for (const { event, data } of log) {
      const { message, user, emoji } = data as { message?: unknown; user?: string; emoji?: string };
      const id = typeof message === 'object' ? (message as Message).id : message;
      const key = [event, id, emoji === undefined ? '' : `${emoji} ${String(user)}`].join(' ');
      this.counts.set(key, this.count(key) + 1);
    }
  }

  /** Counts the events of a kind about a message (and one reaction). */
  events(event: string, message: string, reaction = ''): number {
    return this.count([event, message, reaction].join(' '));
  }

  private count(key: string): number {
    return this.counts.get(key) ?? 0;
  }
}

function findGaps(entries: readonly LogEntry[]): string[] {
  const at = entries.findIndex(({ seq }, index) => seq !== index + 1);
  if (at === -1) return [];
  return [`gap: the log has ${String(entries[at]?.seq)} where ${String(at + 1)} belongs`];
}

function findDoubles(history: readonly Message[], facts: Facts): string[] {
  const keys = new Set<string>();
  const found: string[] = [];
  for (const { id, sender, cid } of history) {
    const key = `${sender.id} ${cid ?? id}`;
    if (keys.has(key)) found.push(`duplicated: ${key} is in the history twice`);
    keys.add(key);
    const created = facts.events('message.created', id);
    if (created !== 1) found.push(`duplicated: ${id} was created ${String(created)} times`);
  }
  return found;
}

function findInvented(history: readonly Message[], ledger: RoomLedger): string[] {
  const known = new Set(ledger.messages.map(({ sender, cid }) => `${sender} ${cid}`));
  return history
    .filter(({ sender, cid }) => !known.has(`${sender.id} ${String(cid)}`))
    .map(({ id }) => `invented: no client sent ${id}`);
}

function checkMessage(sent: SentMessage, facts: Facts): string[] {
  if (sent.acknowledged === null) return [];
  const { id, seq } = sent.acknowledged;
  const message = facts.messages.get(id);
  if (message === undefined) return [`lost: message ${id} (${sent.cid})`];
  const found: string[] = [];
  if (message.seq !== seq) {
    found.push(`moved: message ${id} was acknowledged at ${String(seq)}`);
  }
  if (facts.entries[seq - 1]?.print.includes(`message.created`) !== true) {
    found.push(`lost: there is no message.created at ${String(seq)}`);
  }
  return [...found, ...checkText(sent, message), ...checkChanges(sent, id, facts)];
}

function checkText(sent: SentMessage, message: Message): string[] {
  if (sent.isDeleted) {
    const isTombstone = message.deletedAt !== undefined && message.text === '';
    return isTombstone ? [] : [`lost: the deletion of ${message.id}`];
  }
  const expected = sent.edits.at(-1) ?? sent.text;
  return message.text === expected ? [] : [`lost: the text "${expected}" of ${message.id}`];
}

/** Every edit has a unique text, so the log shows exactly how often each change was applied. */
function checkChanges({ edits, isDeleted }: SentMessage, id: string, facts: Facts): string[] {
  const found: string[] = [];
  const edited = facts.events('message.edited', id);
  const deleted = facts.events('message.deleted', id);
  if (edited !== edits.length) {
    found.push(`${String(edits.length)} edits of ${id}, but ${String(edited)} in the log`);
  }
  if (deleted !== (isDeleted ? 1 : 0)) {
    found.push(`the deletion of ${id} is in the log ${String(deleted)} times`);
  }
  return found;
}

function checkReaction(mark: ReactionMark, facts: Facts): string[] {
  const { message: id, emoji, user, changes, refusals, isSet } = mark;
  const found: string[] = [];
  const made =
    facts.events('reaction.added', id, `${emoji} ${user}`) +
    facts.events('reaction.removed', id, `${emoji} ${user}`);
  if (made < changes) found.push(`lost: a reaction ${emoji} of ${user} to ${id}`);
  if (made > changes + refusals) found.push(`duplicated: a reaction ${emoji} of ${user} to ${id}`);
  const message = facts.messages.get(id);
  if (message === undefined || message.deletedAt !== undefined || refusals > 0) return found;
  const same = message.reactions.find((reaction) => reaction.emoji === emoji);
  if ((same?.users.includes(user) ?? false) !== isSet) {
    found.push(`lost: ${emoji} of ${user} on ${id} should be ${isSet ? 'set' : 'gone'}`);
  }
  return found;
}

/** Finds messages that are stored before an earlier message of the same sender. */
function findOvertaking({ messages }: RoomLedger): string[] {
  const last = new Map<string, number>();
  const found: string[] = [];
  for (const { sender, cid, acknowledged } of messages) {
    if (acknowledged === null) continue;
    if (acknowledged.seq < (last.get(sender) ?? 0)) {
      found.push(`order: ${cid} came before what its sender had sent earlier`);
    }
    last.set(sender, acknowledged.seq);
  }
  return found;
}

function checkSeen(seen: SeenLog, log: readonly LogEntry[]): string[] {
  const { client, entries, violations, position } = seen;
  const found = violations.map((violation) => `${client} saw a ${violation}`);
  let last = (entries[0]?.seq ?? 1) - 1;
  for (const { seq, print } of entries) {
    if (seq <= last) found.push(`${client} saw ${String(seq)} twice`);
    if (seq > last + 1) found.push(`gap: ${client} saw ${String(seq)} after ${String(last)}`);
    last = seq;
    const truth = log[seq - 1]?.print;
    if (truth === print) continue;
    found.push(`order: ${client} saw "${print}" at ${String(seq)}, the log has "${String(truth)}"`);
  }
  if (position !== null && position !== log.length) {
    found.push(`gap: ${client} stopped at ${String(position)} of ${String(log.length)}`);
  }
  return found;
}
