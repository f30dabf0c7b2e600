import { z } from 'zod';

import { normalizeDisplayName, normalizeLabel, toRoomId } from './names.js';

const utf8 = new TextEncoder();
const time = z.int().min(0).describe('Milliseconds since 1970-01-01T00:00:00Z.');

/** What PostgreSQL cannot store, and nobody types (P-6.2). */
export function isStorable(text: string): boolean {
  return !text.includes('\u0000');
}

/** What is said of a text that is not {@link isStorable}. */
export const NOT_STORABLE = 'U+0000 is no character of a text.';

/** Position in the log of a room, counted from 1; 0 is before the first event (P-5.8). */
export const Seq = z.int().min(0);

/** Opaque id of a user, a message or a session, made by the server (P-1.3). */
export const Id = z.string().min(1).max(64).refine(isStorable, NOT_STORABLE);

/** Room as a client names it: the id, or a public name in any case and form (P-5.1). */
export const RoomRef = z
  .string()
  .max(256)
  .transform((typed, context) => {
    const room = toRoomId(typed);
    if (room !== null) return room;
    context.addIssue('A room name has 1 to 64 letters, digits, "-" or "_" of any script.');
    return z.NEVER;
  });

/** Title of a room as people write it (P-5.1). */
export const Title = z
  .string()
  .max(256)
  .transform((typed, context) => {
    const title = normalizeLabel(typed, 64);
    if (title !== null) return title;
    context.addIssue('A title has 1 to 64 visible characters.');
    return z.NEVER;
  });

/** Name under which a user is shown (P-2.6). */
export const DisplayName = z
  .string()
  .max(256)
  .transform((typed, context) => {
    const name = normalizeDisplayName(typed);
    if (name !== null) return name;
    context.addIssue('A name has 1 to 32 visible characters, without controls.');
    return z.NEVER;
  });

/** Emoji or short code of a reaction (P-6.9). */
export const Emoji = z
  .string()
  .max(64)
  .transform((typed, context) => {
    const emoji = normalizeLabel(typed, 32);
    if (emoji !== null && !/\s/u.test(emoji)) return emoji;
    context.addIssue('A reaction has 1 to 32 visible characters without spaces.');
    return z.NEVER;
  });

/** Id that a client gives to a message, unique for each sender and room (P-6.3). */
export const ClientMessageId = z
  .string()
  .min(1)
  .max(64)
  .refine(isStorable, NOT_STORABLE)
  .refine(
    (cid) => cid.length <= 21 || utf8.encode(cid).length <= 64,
    'A cid has at most 64 bytes.',
  );

/** Name of a file, as text for people; it is no path (P-14.1). */
export const FileName = z
  .string()
  .max(1_024)
  .transform((typed, context) => {
    const name = normalizeLabel(typed, 255);
    if (name !== null) return name;
    context.addIssue('The name of a file has 1 to 255 visible characters, without controls.');
    return z.NEVER;
  });

/** A file that was uploaded, as a message names it; its bytes are at `url` (P-14.4). */
export const Attachment = z.object({
  id: Id,
  name: z.string(),
  type: z.string().describe('Media type, told from the bytes.'),
  size: z.int().min(0).describe('Bytes.'),
  width: z.int().min(1).optional().describe('Pixels; of images only.'),
  height: z.int().min(1).optional(),
  url: z.string().describe('Path on the server.'),
  preview: z
    .object({ url: z.string(), width: z.int().min(1), height: z.int().min(1) })
    .optional()
    .describe('A small picture of an image.'),
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

/** A room as those see it who may know of it (P-5.1). */
export const Room = z.object({
  id: z.string(),
  kind: z.enum(['public', 'direct']),
  title: z.string().describe('Empty for a direct room.'),
  owner: Id.nullable().describe('Null for the default room and for direct rooms.'),
  memberCount: z.int().min(0),
  createdAt: time,
  users: z.array(User).optional().describe('The two that a direct room is between, by id.'),
});
export type Room = z.infer<typeof Room>;

/** One emoji on a message and the users who set it, in that order (P-6.9). */
export const Reaction = z.object({ emoji: z.string(), users: z.array(Id) });
export type Reaction = z.infer<typeof Reaction>;

/** A message as it is now; a deleted one is a tombstone without text (P-6.1). */
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
  cause: Id.optional().describe('Message that made a bot write this one.'),
  kind: z.literal('notice').optional().describe('A notice triggers no bot.'),
  hops: z
    .int()
    .min(1)
    .optional()
    .describe('How many bots in a row led to it; stamped by the server.'),
  editedAt: time.optional(),
  deletedAt: time.optional(),
  deletedBy: Id.optional(),
  reactions: z.array(Reaction),
});
export type Message = z.infer<typeof Message>;

/** Position of a client in the log of a room (P-5.8). */
export const Position = z.strictObject({ epoch: z.string().max(64), seq: Seq });
export type Position = z.infer<typeof Position>;

/** Who of a room is online; `online` is absent above 100 members (P-7.2). */
export const RoomPresence = z.object({ online: z.array(Id).optional(), count: z.int().min(0) });
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
