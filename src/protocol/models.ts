import { z } from 'zod';

import { normalizeDisplayName, normalizeLabel, normalizeReaction, toRoomId } from './names.js';

const utf8 = new TextEncoder();
const time = z.int().min(0).describe('Milliseconds since 1970-01-01T00:00:00Z.');

/** Returns whether a text can be stored; PostgreSQL rejects U+0000 (P-6.2). */
export function isStorable(text: string): boolean {
  return !text.includes('\u0000');
}

/** Message for a text that is not {@link isStorable}. */
export const NOT_STORABLE = 'A text cannot contain U+0000.';

/** Position in the log of a room, counted from 1; 0 is before the first event (P-5.8). */
export const Seq = z.int().min(0);

/** Opaque id of a user, a message or a session, made by the server (P-1.3). */
export const Id = z.string().min(1).max(64).refine(isStorable, NOT_STORABLE);

/** Reference to a room: its id, or a public name in any case and Unicode form (P-5.1). */
export const RoomRef = z
  .string()
  .max(256)
  .transform((typed, context) => {
    const room = toRoomId(typed);
    if (room !== null) return room;
    context.addIssue('A room name must have 1 to 64 letters and digits of any script, "-" or "_".');
    return z.NEVER;
  });

/** Title of a room; normalized (P-5.1). */
export const Title = z
  .string()
  .max(256)
  .transform((typed, context) => {
    const title = normalizeLabel(typed, 64);
    if (title !== null) return title;
    context.addIssue('A title must have 1 to 64 visible characters.');
    return z.NEVER;
  });

/** Display name of a user; normalized (P-2.6). */
export const DisplayName = z
  .string()
  .max(256)
  .transform((typed, context) => {
    const name = normalizeDisplayName(typed);
    if (name !== null) return name;
    context.addIssue('A name must have 1 to 32 visible characters and no control characters.');
    return z.NEVER;
  });

/** Emoji or short code of a reaction; normalized (P-6.9). */
export const Emoji = z
  .string()
  .max(64)
  .transform((typed, context) => {
    const emoji = normalizeReaction(typed);
    if (emoji !== null) return emoji;
    context.addIssue('A reaction must have 1 to 32 visible characters and no spaces.');
    return z.NEVER;
  });

/** Id that a client assigns to a message, unique per sender and room (P-6.3). */
export const ClientMessageId = z
  .string()
  .min(1)
  .max(64)
  .refine(isStorable, NOT_STORABLE)
  .refine(
    (cid) => cid.length <= 21 || utf8.encode(cid).length <= 64,
    'A cid must have at most 64 bytes.',
  );

/** Name of a file for display; it is not a path (P-14.1). */
export const FileName = z
  .string()
  .max(1_024)
  .transform((typed, context) => {
    const name = normalizeLabel(typed, 255);
    if (name !== null) return name;
    context.addIssue(
      'A file name must have 1 to 255 visible characters and no control characters.',
    );
    return z.NEVER;
  });

/** An uploaded file in a message; its bytes are at `url` (P-14.4). */
export const Attachment = z.object({
  id: Id,
  name: z.string(),
  type: z.string().describe('Media type, detected from the bytes.'),
  size: z.int().min(0).describe('Size in bytes.'),
  width: z.int().min(1).optional().describe('Width in pixels; images only.'),
  height: z.int().min(1).optional().describe('Height in pixels; images only.'),
  url: z.string().describe('Path on the server.'),
  preview: z
    .object({ url: z.string(), width: z.int().min(1), height: z.int().min(1) })
    .optional()
    .describe('A small version of an image.'),
});
export type Attachment = z.infer<typeof Attachment>;

/** A user: a guest, a member or a bot (P-2.5). */
export const User = z.object({
  id: Id,
  name: z.string(),
  kind: z.enum(['guest', 'member', 'bot']),
});
export type User = z.infer<typeof User>;

/** A user in a room (P-5.3). */
export const Member = z.object({ user: User, role: z.enum(['owner', 'member']), joinedAt: time });
export type Member = z.infer<typeof Member>;

/** A room as it is shown to users who may see it (P-5.1). */
export const Room = z.object({
  id: z.string(),
  kind: z.enum(['public', 'direct']),
  title: z.string().describe('Empty for a direct room.'),
  owner: Id.nullable().describe('Null for the default room and for direct rooms.'),
  memberCount: z.int().min(0),
  createdAt: time,
  users: z
    .array(User)
    .optional()
    .describe('The two users of a direct room, in the order of their ids.'),
});
export type Room = z.infer<typeof Room>;

/** An emoji on a message and the users who added it, in this order (P-6.9). */
export const Reaction = z.object({ emoji: z.string(), users: z.array(Id) });
export type Reaction = z.infer<typeof Reaction>;

/** The current state of a message; a deleted one is a tombstone without text (P-6.1). */
export const Message = z.object({
  id: Id,
  room: z.string(),
  seq: Seq.describe('Position of its `message.created` in the log.'),
  sender: User,
  text: z.string(),
  attachments: z.array(Attachment).optional().describe('Absent if there are none.'),
  at: time,
  cid: z.string().optional(),
  replyTo: Id.optional(),
  cause: Id.optional().describe('Message that caused a bot to send this one.'),
  kind: z.literal('notice').optional().describe('A notice triggers no bot.'),
  hops: z
    .int()
    .min(1)
    .optional()
    .describe('Number of bots in a row that led to it; set by the server.'),
  editedAt: time.optional(),
  deletedAt: time.optional(),
  deletedBy: Id.optional(),
  reactions: z.array(Reaction),
});
export type Message = z.infer<typeof Message>;

/** Position of a client in the log of a room (P-5.8). */
export const Position = z.strictObject({ epoch: z.string().max(64), seq: Seq });
export type Position = z.infer<typeof Position>;

/** Number of connections that receive a room without a session (P-10.7). */
export const Listeners = z.int().min(0).describe('Connections that only listen.');

/** Members of a room who are online; `online` is absent above 100 members (P-7.2). */
export const RoomPresence = z.object({
  online: z.array(Id).optional(),
  count: z.int().min(0),
  listeners: Listeners.optional(),
});
export type RoomPresence = z.infer<typeof RoomPresence>;

/** State of a room at one position of its log (P-5.5). */
export const RoomCut = z.object({
  room: z.string(),
  epoch: z.string(),
  seq: Seq,
  info: Room,
  you: Member,
  members: z.array(Member),
  memberCount: z.int().min(0),
  messages: z.array(Message),
  hasMore: z.boolean().describe('Whether older messages exist.'),
  presence: RoomPresence,
});
export type RoomCut = z.infer<typeof RoomCut>;
