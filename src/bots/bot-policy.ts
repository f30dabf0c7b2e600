import type { BotScope } from '../protocol/bots.js';
import type { CommandName } from '../protocol/commands.js';
import { ProtocolError } from '../protocol/errors.js';

/** Commands that bots may use, with the scope that each needs in its room (P-13.8). */
const ALLOWED: Partial<Record<CommandName, BotScope | null>> = {
  'session.ping': null,
  'room.get': null,
  'room.members': 'members:read',
  'message.send': 'messages:write',
  'message.edit': 'messages:write',
  'message.delete': 'messages:write',
  'message.react': 'messages:write',
  'message.unreact': 'messages:write',
  // Which messages there are for a bot depends on its scopes (P-6.13).
  'message.get': null,
  'message.history': 'messages:read',
  'message.status': 'messages:write',
  'typing.set': 'messages:write',
  'user.get': null,
  'bot.ack': null,
  'bot.load': null,
  'bot.store': null,
  'bot.commands': null,
  'bot.status': null,
};

/**
 * Refuses what a bot may not do in a room.
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
    message: `The bot needs the scope ${needed} in this room: its owner grants it by bot.add.`,
    details: { scope: needed },
  });
}
