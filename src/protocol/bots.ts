import { z } from 'zod';

import { Id, isStorable, NOT_STORABLE, RoomRef, User } from './models.js';

/** Name of a bot, which people use to address it; reserved, with all similar names (P-13.1). */
export const BotName = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9-]{0,31}$/,
    'The name of a bot must have 1 to 32 characters of a-z, 0-9 and "-".',
  );

const ONE_LINE = /^[^\p{Cc}\p{Zl}\p{Zp}]*$/u;

/** One-line description of a bot or a command (P-13.5). */
export const BotLine = z
  .string()
  .max(256)
  .regex(ONE_LINE, 'The text must be one line without control characters.');

/** A permission of a bot in a room (P-13.3). */
export const BotScope = z.enum([
  'messages:addressed',
  'messages:read',
  'messages:write',
  'members:read',
  'reactions:read',
]);
export type BotScope = z.infer<typeof BotScope>;

/** Scopes of a bot that is added without `scopes` (P-13.3). */
export const DEFAULT_SCOPES: readonly BotScope[] = ['messages:addressed', 'messages:write'];

/** The `bot` field of the `hello` of a remote bot (P-13.8). */
export const BotHello = z.strictObject({
  mode: z.enum(['exclusive', 'shared']).optional(),
  from: z.enum(['processed', 'live']).optional(),
  fromBots: z.boolean().optional(),
  inFlight: z.int().min(1).max(256).optional(),
  commands: z
    .array(
      z.strictObject({
        name: BotName,
        help: BotLine.min(1),
        args: z.array(BotLine.min(1).max(32)).max(16).optional(),
      }),
    )
    .max(64)
    .optional(),
});
export type BotHello = z.infer<typeof BotHello>;

/** A command of a bot in a room, for help and completion (P-13.5). */
export const BotCommand = z.object({
  bot: User,
  name: z.string(),
  help: z.string(),
  args: z.array(z.string()).describe('Names of the arguments in order.'),
});
export type BotCommand = z.infer<typeof BotCommand>;

/** A bot and its state (P-13.6). */
export const BotStatus = z.object({
  bot: User,
  about: z.string(),
  state: z.enum(['active', 'resting']),
  until: z.int().optional().describe('Time at which a resting bot becomes active again.'),
  wants: z.array(BotScope).describe('Scopes that the bot requests.'),
  scopes: z
    .array(BotScope)
    .optional()
    .describe('Scopes of the bot in the room, if a room is given.'),
});
export type BotStatus = z.infer<typeof BotStatus>;

/** Key of a value in the state of a bot (P-13.12). */
export const StateKey = z.string().min(1).max(128).refine(isStorable, NOT_STORABLE);

/** Key of an alarm; short, because it is part of a `cid` (P-13.12). */
export const AlarmKey = StateKey.max(32);

/** A time at which a bot receives `alarm.due` for a room (P-13.13). */
export const Alarm = z.strictObject({ at: z.int().min(0), value: z.unknown().optional() });
export type Alarm = z.infer<typeof Alarm>;

/** Owner of a part of the state; the alarms of a room are separate (P-13.11). */
export const StateOwner = z.union([
  z.strictObject({ room: RoomRef }),
  z.strictObject({ user: Id }),
  z.strictObject({ alarms: RoomRef.describe('Room of the alarms.') }),
]);
export type StateOwner = z.infer<typeof StateOwner>;

/** A key of the state and its value (P-13.11). */
export const StateEntry = z.object({ key: z.string(), value: z.unknown() });
export type StateEntry = z.infer<typeof StateEntry>;

/** One change of the state; without a value, the key is deleted (P-13.12). */
export const StateChange = z.strictObject({
  owner: StateOwner,
  key: StateKey,
  value: z.unknown().optional(),
});
export type StateChange = z.infer<typeof StateChange>;

/** Maximum number of changes at once (P-13.12). */
export const MAX_STATE_CHANGES = 64;
