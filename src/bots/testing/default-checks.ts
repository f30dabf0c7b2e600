import type { BotReport } from '../kit/bot-host.js';
import { shorten } from '../kit/shorten.js';
import type { HarnessRoom } from './harness-room.js';
import type { HarnessUser } from './harness-user.js';

const SHOWN_CHARS = 60;
/** Includes `slow`, because the speed of a handler depends on the machine too. */
const TOLERATED = new Set<BotReport['kind']>(['denied', 'rate', 'slow']);

/** The part of the harness that the checks use. */
export interface CheckedHarness {
  readonly reports: readonly BotReport[];
  readonly fault: { redeliver(): void };
  room(name: string): HarnessRoom;
  settled(): Promise<void>;
}

/** Thrown when a bot fails a check that every bot has to pass. */
export class DefaultCheckError extends Error {
  override readonly name = 'DefaultCheckError';
}

/**
 * Runs the checks that every bot has to pass: it is listed, survives invalid input, and answers an
 * event only once even if it is delivered twice.
 *
 * @throws DefaultCheckError
 */
export async function checkBot(harness: CheckedHarness, bot: string): Promise<void> {
  const room = harness.room(`checks-of-${bot}`);
  const user = await room.user('checker');
  await user.call('bot.add', { room: room.id, bot: 'help' });
  const commands = await checkHelp(harness, bot, room, user);
  const texts = [`@${bot}`, `@${bot} `, `@${bot} no such thing`, `/no-such-command@${bot} x`];
  const own = commands.map((name) => `/${name}`);
  const long = [`@${bot}`, ...own].map((text) => lengthen(text, user.limits.textChars));
  for (const text of [...texts, ...own, ...long]) {
    await checkTwice(harness, bot, room, user, text);
  }
}

/** Returns the longest message that begins with a text: a long word, and two more arguments. */
function lengthen(text: string, chars: number): string {
  const end = ' b c';
  return `${text} ${'x'.repeat(chars - text.length - 1 - end.length)}${end}`;
}

async function checkHelp(
  harness: CheckedHarness,
  bot: string,
  room: HarnessRoom,
  user: HarnessUser,
): Promise<string[]> {
  const { commands } = await user.call('bot.commands', { room: room.id });
  const own = commands.filter((command) => command.bot.name === bot).map(({ name }) => name);
  await user.says(`/help ${bot}`);
  await harness.settled();
  const answer = room.transcript().at(-1) ?? '';
  for (const word of [bot, ...own.map((name) => `/${name}`)]) {
    if (!answer.includes(word)) fail(bot, `/help ${bot} does not show ${word}:\n${answer}`);
  }
  return own;
}

async function checkTwice(
  harness: CheckedHarness,
  bot: string,
  room: HarnessRoom,
  user: HarnessUser,
  text: string,
): Promise<void> {
  const reported = harness.reports.length;
  await user.says(text);
  await harness.settled();
  const before = room.transcript();
  harness.fault.redeliver();
  await harness.settled();
  const report = harness.reports.slice(reported).find(({ kind }) => !TOLERATED.has(kind));
  const shown = JSON.stringify(shorten(text, SHOWN_CHARS));
  if (report !== undefined) {
    fail(bot, `it fails for ${shown}: ${describe(report)}`, report.error);
  }
  const after = room.transcript();
  if (after.join('\n') === before.join('\n')) return;
  fail(bot, `it answers ${shown} again when it is delivered twice:\n${after.join('\n')}`);
}

function describe({ kind, handler = '', error }: BotReport): string {
  return `${kind} in ${handler}: ${error instanceof Error ? error.message : String(error)}`;
}

function fail(bot: string, what: string, cause?: unknown): never {
  throw new DefaultCheckError(`The bot ${bot} fails a check of all bots: ${what}`, { cause });
}
