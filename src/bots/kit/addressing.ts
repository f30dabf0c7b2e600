import type { Message } from '../../protocol/models.js';

/** How a message addresses a bot, and the text that remains (P-13.2). */
export interface Address {
  readonly by: 'mention' | 'command' | 'reply' | 'direct';
  /** Name of the command in lower case; null if there is none. */
  readonly command: string | null;
  /** The text without the mention and the command. */
  readonly text: string;
}

/** The properties of a bot that decide whether a text addresses it. */
export interface Addressee {
  readonly name: string;
  readonly commands: ReadonlySet<string>;
}

const MENTION = /^\s*@([a-z0-9-]{1,32})(?![\p{L}\p{N}_-])[:,]?\s*/iu;
const SLASH = /^\s*\/([a-z0-9-]{1,32})(?:@([a-z0-9-]{1,32}))?(?=\s|$)\s*/iu;
const FIRST_WORD = /^\/?([a-z0-9-]{1,32})(?=\s|$)\s*/iu;

/** Returns whether a message may address any bot; a fast check, as it runs for every message. */
export function mayAddress({ text, replyTo }: Message): boolean {
  if (replyTo !== undefined) return true;
  const first = text.trimStart().charCodeAt(0);
  return first === 0x40 || first === 0x2f;
}

/**
 * Returns how a text addresses a bot; null if it does not.
 *
 * `repliesToBot` and `isDirect` are facts about the message that its text does not show.
 */
export function addressOf(
  text: string,
  bot: Addressee,
  { repliesToBot, isDirect }: { readonly repliesToBot: boolean; readonly isDirect: boolean },
): Address | null {
  const slash = SLASH.exec(text);
  if (slash !== null && isOwnCommand(slash, bot)) return byCommand(slash, text);
  const mention = MENTION.exec(text);
  if (mention !== null && isName(mention[1], bot)) {
    return withCommand('mention', text.slice(mention[0].length), bot);
  }
  // In a direct room, no other bot can be addressed.
  if (!isDirect && isForOther(slash, mention)) return null;
  if (repliesToBot) return withCommand('reply', text.trim(), bot);
  return isDirect ? withCommand('direct', text.trim(), bot) : null;
}

function isForOther(slash: RegExpExecArray | null, mention: RegExpExecArray | null): boolean {
  return mention !== null || slash?.[2] !== undefined;
}

function isOwnCommand([, name = '', target]: RegExpExecArray, bot: Addressee): boolean {
  return target === undefined ? bot.commands.has(name.toLowerCase()) : isName(target, bot);
}

function byCommand([whole, name = '']: RegExpExecArray, text: string): Address {
  return { by: 'command', command: name.toLowerCase(), text: text.slice(whole.length) };
}

function withCommand(by: Address['by'], text: string, { commands }: Addressee): Address {
  const [whole = '', name = ''] = FIRST_WORD.exec(text) ?? [];
  const command = name.toLowerCase();
  if (!commands.has(command)) return { by, command: null, text };
  return { by, command, text: text.slice(whole.length) };
}

function isName(name: string | undefined, bot: Addressee): boolean {
  return name?.toLowerCase() === bot.name;
}
