import { z } from 'zod';

import { Id, isStorable, NOT_STORABLE, RoomRef, User } from './models.js';

/** Name of a bot, by which people address it; nobody else may bear or resemble it (P-13.1). */
export const BotName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,31}$/, 'The name of a bot has 1 to 32 of a-z, 0-9 and "-".');

/** What a bot may see and do in a room (P-13.3). */
export const BotScope = z.enum([
  'messages:addressed',
  'messages:read',
  'messages:write',
  'members:read',
  'reactions:read',
]);
export type BotScope = z.infer<typeof BotScope>;

/** Scopes that a bot has in a room whose owner names none (P-13.3). */
export const DEFAULT_SCOPES: readonly BotScope[] = ['messages:addressed', 'messages:write'];

/** What a bot from afar says of itself in `hello` (P-13.8). */
export const BotHello = z.strictObject({
  mode: z.enum(['exclusive', 'shared']).optional(),
  from: z.enum(['processed', 'live']).optional(),
  fromBots: z.boolean().optional(),
  inFlight: z.int().min(1).max(256).optional(),
  commands: z
    .array(
      z.strictObject({
        name: BotName,
        help: z.string().min(1).max(256),
        args: z.array(z.string().min(1).max(32)).max(16).optional(),
      }),
    )
    .max(64)
    .optional(),
});
export type BotHello = z.infer<typeof BotHello>;

/** A command that a bot takes in a room, for help and completion (P-13.5). */
export const BotCommand = z.object({
  bot: User,
  name: z.string(),
  help: z.string(),
  args: z.array(z.string()).describe('Names of the arguments, in their order.'),
});
export type BotCommand = z.infer<typeof BotCommand>;

/** A bot and how it fares (P-13.6). */
export const BotStatus = z.object({
  bot: User,
  about: z.string(),
  state: z.enum(['active', 'resting']),
  until: z.int().optional().describe('When a resting bot is tried again.'),
  wants: z.array(BotScope).describe('Scopes that the bot asks for.'),
  scopes: z.array(BotScope).optional().describe('Scopes that it has in the room, if one is given.'),
});
export type BotStatus = z.infer<typeof BotStatus>;

/** Key of what a bot keeps (P-13.12). */
export const StateKey = z.string().min(1).max(128).refine(isStorable, NOT_STORABLE);

/** Key of an alarm, short enough to be part of a `cid` (P-13.12). */
export const AlarmKey = StateKey.max(32);

/** A time at which a bot wants to be called in a room (P-13.13). */
export const Alarm = z.strictObject({ at: z.int().min(0), value: z.unknown().optional() });
export type Alarm = z.infer<typeof Alarm>;

/** For whom a bot keeps something; the alarms of a room are kept apart (P-13.11). */
export const StateOwner = z.union([
  z.strictObject({ room: RoomRef }),
  z.strictObject({ user: Id }),
  z.strictObject({ alarms: RoomRef.describe('Room that the alarms are for.') }),
]);
export type StateOwner = z.infer<typeof StateOwner>;

/** Something that a bot keeps (P-13.11). */
export const StateEntry = z.object({ key: z.string(), value: z.unknown() });
export type StateEntry = z.infer<typeof StateEntry>;

/** One change of what a bot keeps; without a value, the key is removed (P-13.12). */
export const StateChange = z.strictObject({
  owner: StateOwner,
  key: StateKey,
  value: z.unknown().optional(),
});
export type StateChange = z.infer<typeof StateChange>;

/** Changes that a bot may make at once (P-13.12). */
export const MAX_STATE_CHANGES = 64;
