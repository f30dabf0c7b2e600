import { BotHello } from '../../protocol/bots.js';
import { BotSetupError, type BotDefinition } from '../kit/bot-definition.js';
import { commandsOf } from '../kit/command-help.js';

/** The part of the hello that the author chooses; the handlers determine the rest. */
export type ChosenHello = Omit<BotHello, 'commands' | 'fromBots'>;

/**
 * Returns the `bot` field of the hello (P-13.8).
 *
 * @throws BotSetupError if the server would refuse it
 */
export function helloOf(bot: BotDefinition, chosen: ChosenHello): BotHello {
  const commands = commandsOf(bot).map(({ args, ...command }) => ({ ...command, args: [...args] }));
  const fromBots = bot.handlers.some(({ options }) => options.fromBots === true);
  const checked = BotHello.safeParse({ ...chosen, commands, fromBots });
  if (checked.success) return checked.data;
  const [issue] = checked.error.issues;
  const [where, index] = issue?.path ?? [];
  const what = where === 'commands' ? `command /${commands[Number(index)]?.name ?? ''}` : 'bot';
  throw new BotSetupError(`The ${what} of ${bot.name} is invalid: ${issue?.message ?? ''}`);
}
