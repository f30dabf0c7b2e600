import { BotHello } from '../../protocol/bots.js';
import { BotSetupError, type BotDefinition } from '../runtime/bot-manifest.js';
import { helpOf } from '../runtime/command-help.js';

/** What the author of a bot chooses; the rest is made of its handlers. */
export type ChosenHello = Omit<BotHello, 'commands' | 'fromBots'>;

/**
 * Gives what a bot says of itself (P-13.8).
 *
 * @throws BotSetupError for what the server would refuse
 */
export function helloOf(bot: BotDefinition, chosen: ChosenHello): BotHello {
  const commands = helpOf(bot).map(({ args, ...command }) => ({ ...command, args: [...args] }));
  const fromBots = bot.handlers.some(({ options }) => options.fromBots === true);
  const checked = BotHello.safeParse({ ...chosen, commands, fromBots });
  if (checked.success) return checked.data;
  const [issue] = checked.error.issues;
  const [where, index] = issue?.path ?? [];
  const what = where === 'commands' ? `command /${commands[Number(index)]?.name ?? ''}` : 'bot';
  throw new BotSetupError(`The ${what} of ${bot.name} is refused: ${issue?.message ?? ''}`);
}
