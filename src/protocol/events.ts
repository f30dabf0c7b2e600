import { z } from 'zod';

import { Alarm } from './bots.js';
import { ERRORS, type ErrorCode } from './errors.js';
import { Id, Listeners, Member, Message, Room, Seq, User } from './models.js';
import { Welcome } from './welcome.js';

/** Fields of every event of a room's log (P-5.8). */
const logged = {
  room: z.string(),
  seq: Seq.min(1),
  at: z.int().min(0),
  prev: Seq.optional().describe('Position that a filtered connection is expected to have.'),
};

const WireErrorSchema = z.object({
  code: z.enum(Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]]),
  message: z.string(),
  retryable: z.boolean(),
  retryAfterMs: z.int().min(0).optional(),
  details: z.record(z.string(), z.unknown()).optional(),
});

/** Events that have a position in the log of a room (P-5.8). */
export const LOG_EVENTS = {
  'room.created': z.object({ ...logged, info: Room }),
  'room.updated': z.object({ ...logged, info: Room }),
  'member.joined': z.object({ ...logged, member: Member, memberCount: z.int() }),
  'member.left': z.object({
    ...logged,
    user: User,
    reason: z.enum(['left', 'away']),
    memberCount: z.int(),
  }),
  'user.updated': z.object({ ...logged, user: User }),
  'message.created': z.object({ ...logged, message: Message }),
  'message.edited': z.object({ ...logged, message: Message }),
  'message.deleted': z.object({ ...logged, message: Message }),
  'reaction.added': z.object({ ...logged, message: Id, emoji: z.string(), user: Id }),
  'reaction.removed': z.object({ ...logged, message: Id, emoji: z.string(), user: Id }),
  'dm.opened': z.object({
    ...logged,
    info: Room,
    user: User.describe('User whose command opened the room.'),
  }),
  'user.blocked': z.object({ ...logged, user: User }),
  'user.unblocked': z.object({ ...logged, user: User }),
} as const;

/** Events that are sent once and never replayed (P-7.1). */
export const EPHEMERAL_EVENTS = {
  typing: z.object({
    room: z.string(),
    started: z.array(User).optional(),
    stopped: z.array(Id).optional(),
    count: z.int().describe('Number of users who are typing.'),
    expiresInMs: z.int(),
  }),
  presence: z.object({
    room: z.string(),
    online: z.array(Id).optional(),
    offline: z.array(Id).optional(),
    count: z.int(),
    listeners: Listeners.optional(),
  }),
} as const;

/** Events about the connection itself (P-2). */
export const CONNECTION_EVENTS = {
  welcome: Welcome,
  'auth.expiring': z.object({ expiresAt: z.int(), inMs: z.int() }),
  'session.ping': z.object({ at: z.int() }),
  error: z.object({
    error: WireErrorSchema,
    cmd: z.string().optional().describe('Command that failed, if it had a name.'),
  }),
  bye: z.object({
    code: z.int(),
    reason: z.string(),
    reconnect: z.boolean(),
    delayMs: z.int().min(0).optional(),
  }),
} as const;

/** Events that only bots receive, in addition to those of logs (P-13). */
export const BOT_EVENTS = {
  'alarm.due': z.object({ room: z.string(), key: z.string(), ...Alarm.shape }),
} as const;

/** Every event of the protocol (P-1.3). */
export const EVENTS = {
  ...LOG_EVENTS,
  ...EPHEMERAL_EVENTS,
  ...CONNECTION_EVENTS,
  ...BOT_EVENTS,
} as const;

/** Name of an event, `noun.pastTense` (P-3.1). */
export type EventName = keyof typeof EVENTS;

/** Name of an event that has a position in a log (P-5.8). */
export type LogEventName = keyof typeof LOG_EVENTS;

/** Name of an event that has no position and is never replayed (P-7.1). */
export type EphemeralEventName = keyof typeof EPHEMERAL_EVENTS;

/** Name of an event that only bots receive (P-13.13). */
export type BotEventName = keyof typeof BOT_EVENTS;

/** Data of an event (P-3.1). */
export type EventData<E extends EventName> = z.output<(typeof EVENTS)[E]>;

/** An event of a log with its data (P-5.8). */
export type LogEvent = {
  [E in LogEventName]: { readonly event: E; readonly data: EventData<E> };
}[LogEventName];

/** An event in a page of replay (P-5.11). */
export const ReplayedEvent = z.object({
  event: z.enum(Object.keys(LOG_EVENTS) as [LogEventName, ...LogEventName[]]),
  data: z.looseObject(logged),
});
