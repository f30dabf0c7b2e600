import { CommandError } from 'parlance-client';

/** Error code for a command that no bot of the room has. */
export const UNKNOWN_COMMAND = 'unknown_command';

/** The syntax of a command (P-13.2), which `/usr/bin` does not match. */
const COMMAND = /^\s*\/([a-z0-9-]{1,32})(?:@([a-z0-9-]{1,32}))?(?=\s|$)/iu;

/** Returns whether a text has the syntax of a command. */
export function isCommand(text) {
  return COMMAND.test(text);
}

/**
 * Throws if a text is a command that no bot of a room has.
 *
 * `list` returns the commands of the room (P-13.5); `hasBots` says whether bots are in it.
 */
export async function requireKnownCommand(text, list, hasBots) {
  const [, name, bot] = COMMAND.exec(text) ?? [];
  if (name === undefined) return;
  const commands = await list();
  if (commands.length === 0 && !hasBots) return;
  if (commands.some((command) => isMeant(command, name.toLowerCase(), bot?.toLowerCase()))) return;
  throw new CommandError('message.send', {
    code: UNKNOWN_COMMAND,
    message: `No bot in this room has the command /${name}. ${adviceOf(commands)}`,
    retryable: false,
  });
}

function isMeant(command, name, bot) {
  return command.name === name && (bot === undefined || command.bot.name === bot);
}

function adviceOf(commands) {
  if (commands.length === 0) return 'The bots in this room have no commands.';
  return `Commands: ${commands.map(({ name }) => `/${name}`).join(', ')}.`;
}
