import type { BotScope } from '../../../protocol/bots.js';
import type { CommandName } from '../../../protocol/commands.js';
import { ProtocolError } from '../../../protocol/errors.js';

const WRITE: BotScope = 'messages:write';

/** Commands that remote bots may use, with the scope that each needs in its room (P-13.8). */
const ALLOWED: Partial<Record<CommandName, BotScope | null>> = {
  'session.ping': null,
  'room.get': null,
  'room.members': 'members:read',
  'message.send': WRITE,
  'message.edit': WRITE,
  'message.delete': WRITE,
  'message.react': WRITE,
  'message.unreact': WRITE,
  // The handler checks the scopes: they decide which messages the bot may read (P-6.13).
  'message.get': null,
  'message.history': 'messages:read',
  'message.status': WRITE,
  'typing.set': WRITE,
  'user.get': null,
  'bot.ack': null,
  'bot.load': null,
  'bot.store': null,
  'bot.commands': null,
  'bot.status': null,
};

/**
 * Checks that a bot may use a command in a room.
 *
 * Without scopes, because the command names no room or one without the bot, its handler decides.
 *
 * @throws ProtocolError `forbidden`
 */
export function checkBotCall(name: string, scopes: ReadonlySet<BotScope> | undefined): void {
  const needed = ALLOWED[name as CommandName];
  if (needed === undefined) {
    throw new ProtocolError('forbidden', { message: `Bots may not use ${name}.` });
  }
  if (needed === null || scopes === undefined || scopes.has(needed)) return;
  throw new ProtocolError('forbidden', {
    message: `The bot needs the scope ${needed} in this room: the room owner grants it with bot.add.`,
    details: { scope: needed },
  });
}

/**
 * Checks that a bot may upload files, which it needs to send in some room.
 *
 * @throws ProtocolError `forbidden`
 */
export function checkBotUpload(rooms: Iterable<{ readonly scopes: ReadonlySet<BotScope> }>): void {
  for (const { scopes } of rooms) if (scopes.has(WRITE)) return;
  throw new ProtocolError('forbidden', {
    message: `The bot needs the scope ${WRITE} in some room to upload files.`,
    details: { scope: WRITE },
  });
}
