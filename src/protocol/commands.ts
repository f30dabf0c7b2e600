import { z } from 'zod';

import {
  ClientMessageId,
  isStorable,
  NOT_STORABLE,
  DisplayName,
  Emoji,
  FileName,
  Id,
  Member,
  Message,
  Position,
  Room,
  RoomCut,
  RoomRef,
  Seq,
  Listeners,
  Title,
  User,
} from './models.js';
import { isBlank } from './names.js';
import {
  BotCommand,
  BotHello,
  BotName,
  BotScope,
  BotStatus,
  MAX_STATE_CHANGES,
  StateChange,
  StateEntry,
  StateKey,
  StateOwner,
} from './bots.js';
import { HistoryPage, Replay } from './pages.js';
import { Welcome } from './welcome.js';

const MAX_TOKEN_CHARS = 4_096;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Text of a message; the limit `textChars` is its maximum length (P-6.2). */
const Text = z
  .string()
  .min(1)
  .refine(isStorable, NOT_STORABLE)
  .refine((text) => !isBlank(text), 'The text must have a visible character.');
/** Text in `message.send`; it can be empty if the message has attachments (P-6.2). */
const SentText = z
  .string()
  .refine(isStorable, NOT_STORABLE)
  .refine((text) => text === '' || !isBlank(text), 'The text must have a visible character.');

/** An image inside a message, for clients that cannot upload files (P-14.6). */
const InlineImage = z.strictObject({
  data: z.string().min(1).regex(BASE64, 'The data of an image must be base64 with padding.'),
  name: FileName.optional(),
});

const Token = z.string().min(1).max(MAX_TOKEN_CHARS);
const PageSize = z.int().min(1).max(100);

const Nothing = z.strictObject({});
const aboutUser = { user: Id };
const inRoom = { room: RoomRef };
const onMessage = { room: RoomRef, message: Id };

/** Data of `hello`; ignores unknown fields, so that newer clients can connect (P-2.2). */
export const Hello = z.object({
  protocol: z.int(),
  token: Token.optional(),
  name: DisplayName.optional(),
  client: z.object({ name: z.string().max(64), version: z.string().max(64).optional() }).optional(),
  resume: z.record(z.string().max(256), Position).optional(),
  heartbeat: z.enum(['transport', 'frames']).optional(),
  bot: BotHello.optional(),
});
export type Hello = z.infer<typeof Hello>;

/** Reply to `dm.open`: a cut, and whether the room is new (P-5.17). */
export const DirectCut = RoomCut.extend({ created: z.boolean() });
export type DirectCut = z.infer<typeof DirectCut>;

/** A direct room of the caller, with the last event of its log (P-5.18). */
export const DirectEntry = z.object({
  info: Room,
  seq: Seq.describe('Head of its log, the position of that event.'),
  at: z.int().min(0).describe('Time of that event.'),
});
export type DirectEntry = z.infer<typeof DirectEntry>;

const BlockReply = z.object({ user: User, changed: z.boolean() });

const atMostOne = (data: { before?: unknown; after?: unknown; around?: unknown }) =>
  [data.before, data.after, data.around].filter((bound) => bound !== undefined).length <= 1;

/**
 * All commands of the protocol, with the schemas of their data and of their replies (P-3).
 *
 * Unknown fields in the data of a command are an error, except in that of `hello`.
 */
export const COMMANDS = {
  hello: { data: Hello, reply: Welcome },
  'session.ping': { data: Nothing, reply: z.object({ at: z.int() }) },
  'auth.refresh': {
    data: z.strictObject({ token: Token.optional() }),
    reply: z.object({ token: z.string(), expiresAt: z.int() }),
  },
  'room.create': { data: z.strictObject({ ...inRoom, title: Title.optional() }), reply: RoomCut },
  'room.list': {
    data: z.strictObject({
      after: z.string().max(256).refine(isStorable, NOT_STORABLE).optional(),
      limit: PageSize.optional(),
      mine: z.boolean().optional(),
    }),
    reply: z.object({ rooms: z.array(Room), next: z.string().optional() }),
  },
  'room.join': {
    data: z.strictObject({ ...inRoom, create: z.boolean().optional(), title: Title.optional() }),
    reply: RoomCut,
  },
  'room.leave': {
    data: z.strictObject(inRoom),
    reply: z.object({ room: z.string(), seq: Seq }),
  },
  'room.get': {
    data: z.strictObject(inRoom),
    reply: z.object({ info: Room, you: Member.nullable(), listeners: Listeners.optional() }),
  },
  'room.update': {
    data: z.strictObject({ ...inRoom, title: Title }),
    reply: z.object({ info: Room }),
  },
  'room.members': {
    data: z.strictObject({ ...inRoom, after: Id.optional(), limit: PageSize.optional() }),
    reply: z.object({
      members: z.array(Member),
      memberCount: z.int(),
      next: z.string().optional(),
    }),
  },
  'room.sync': {
    data: z
      .strictObject({ ...inRoom, epoch: z.string().max(64).optional(), after: Seq.optional() })
      .refine(
        (data) => (data.epoch === undefined) === (data.after === undefined),
        'Send both epoch and after, or neither.',
      ),
    reply: z.union([RoomCut, Replay]),
  },
  'dm.open': { data: z.strictObject(aboutUser), reply: DirectCut },
  'dm.list': {
    data: z.strictObject({
      after: z.string().max(64).refine(isStorable, NOT_STORABLE).optional(),
      limit: PageSize.optional(),
    }),
    reply: z.object({ directs: z.array(DirectEntry), next: z.string().optional() }),
  },
  'message.send': {
    data: z
      .strictObject({
        ...inRoom,
        text: SentText.optional(),
        files: z
          .array(Id)
          .min(1)
          .max(100)
          .refine(
            (files) => new Set(files).size === files.length,
            'Each file can be listed only once.',
          )
          .optional(),
        image: InlineImage.optional(),
        cid: ClientMessageId.optional(),
        replyTo: Id.optional(),
        cause: Id.optional(),
        kind: z.literal('notice').optional(),
      })
      .refine(({ text = '', files, image }) => text !== '' || (files ?? image) !== undefined, {
        path: ['text'],
        message: 'A message must have a text, files or an image.',
      }),
    reply: z.object({ message: Message, duplicate: z.boolean() }),
  },
  'message.edit': {
    data: z.strictObject({ ...onMessage, text: Text }),
    reply: z.object({ message: Message }),
  },
  'message.delete': {
    data: z.strictObject(onMessage),
    reply: z.object({ message: Message }),
  },
  'message.react': {
    data: z.strictObject({ ...onMessage, emoji: Emoji }),
    reply: z.object({ message: Message, changed: z.boolean() }),
  },
  'message.unreact': {
    data: z.strictObject({ ...onMessage, emoji: Emoji }),
    reply: z.object({ message: Message, changed: z.boolean() }),
  },
  'message.get': { data: z.strictObject(onMessage), reply: z.object({ message: Message }) },
  'message.history': {
    data: z
      .strictObject({
        ...inRoom,
        before: Seq.optional(),
        after: Seq.optional(),
        around: Seq.optional(),
        // Larger values are valid; `historyPageMax` limits the page.
        limit: z.int().min(1).optional(),
      })
      .refine(atMostOne, 'Send at most one of before, after and around.'),
    reply: HistoryPage,
  },
  'message.status': {
    data: z.strictObject({ ...inRoom, cid: ClientMessageId }),
    reply: z.object({ found: z.boolean(), message: Message.optional() }),
  },
  'typing.set': {
    data: z.strictObject({ ...inRoom, active: z.boolean() }),
    reply: z.object({}),
  },
  'user.get': {
    data: z.strictObject(aboutUser),
    reply: z.object({ user: User }),
  },
  'user.update': {
    data: z.strictObject({ name: DisplayName }),
    reply: z.object({ user: User }),
  },
  'user.block': { data: z.strictObject(aboutUser), reply: BlockReply },
  'user.unblock': { data: z.strictObject(aboutUser), reply: BlockReply },
  'user.blocks': {
    data: z.strictObject({ after: Id.optional(), limit: PageSize.optional() }),
    reply: z.object({ users: z.array(User), next: z.string().optional() }),
  },
  'bot.add': {
    data: z.strictObject({ ...inRoom, bot: BotName, scopes: z.array(BotScope).max(16).optional() }),
    reply: z.object({ member: Member, scopes: z.array(BotScope) }),
  },
  'bot.remove': {
    data: z.strictObject({ ...inRoom, bot: BotName }),
    reply: z.object({ room: z.string(), seq: Seq }),
  },
  'bot.ack': {
    data: z.strictObject({ ...inRoom, seq: Seq }),
    reply: z.object({ room: z.string(), seq: Seq }),
  },
  'bot.load': {
    data: z
      .strictObject({
        owner: StateOwner,
        key: StateKey.optional(),
        after: StateKey.optional(),
        limit: PageSize.optional(),
      })
      .refine(
        ({ key, after, limit }) => key === undefined || (after ?? limit) === undefined,
        'Send either key, or after and limit.',
      ),
    reply: z.object({ entries: z.array(StateEntry), hasMore: z.boolean() }),
  },
  'bot.store': {
    data: z.strictObject({ changes: z.array(StateChange).min(1).max(MAX_STATE_CHANGES) }),
    reply: z.object({}),
  },
  'bot.commands': {
    data: z.strictObject(inRoom),
    reply: z.object({ commands: z.array(BotCommand) }),
  },
  'bot.status': {
    data: z.strictObject({ room: RoomRef.optional() }),
    reply: z.object({ bots: z.array(BotStatus) }),
  },
} as const;

/** Name of a command, `noun.verb` (P-3.1). */
export type CommandName = keyof typeof COMMANDS;

/** Data of a command after validation: names are normalized, unknown fields removed (P-3.3). */
export type CommandData<C extends CommandName> = z.output<(typeof COMMANDS)[C]['data']>;

/** Data of a command as a client sends it (P-3.1). */
export type CommandInput<C extends CommandName> = z.input<(typeof COMMANDS)[C]['data']>;

/** Data of the successful reply to a command (P-3.2). */
export type ReplyData<C extends CommandName> = z.output<(typeof COMMANDS)[C]['reply']>;
