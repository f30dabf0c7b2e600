import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { parseArgs } from 'node:util';

import { ENTITIES } from './app.module.js';
import { builtInNames } from './bots/built-in.js';
import { RESERVED_BOT_NAMES } from './bots/runtime/bot-manifest.js';
import { ConfigError, readConfig, type Config } from './config/config.js';
import { writerDataSource } from './database/data-source.js';
import { BotName, BotScope, DEFAULT_SCOPES } from './protocol/bots.js';
import { registerBot } from './users/bot-accounts.service.js';

const USAGE = `Registers a bot that connects from afar, and shows its token, this once.

  npm run bot:create -- NAME [--about TEXT] [--scopes SCOPE,SCOPE]

Again for the same name, it makes a new token; the one before stays valid until the next.
Scopes: ${BotScope.options.join(', ')}.
Without --scopes: ${DEFAULT_SCOPES.join(', ')}.`;

/** What was asked for cannot be done; the message says why. */
class UsageError extends Error {}

/** Writes the bot into the database, also while the gateway runs. */
async function main(): Promise<void> {
  const { name, about, scopes } = readArguments();
  if (existsSync('.env')) process.loadEnvFile('.env');
  const config = readConfig(process.env);
  refuseBuiltIn(name, config);
  await mkdir(config.dataDir, { recursive: true });
  const source = await writerDataSource(config, ENTITIES).initialize();
  try {
    await source.runMigrations({ transaction: 'each' });
    const token = await source.transaction((manager) =>
      registerBot(manager, { name, about, scopes }),
    );
    process.stdout.write(
      `The bot ${name} can connect with this token. It is not shown again:\n\n  ${token}\n\n` +
        `The owner of a room lets it in: {"id":1,"cmd":"bot.add","data":{"room":"…","bot":"${name}"}}\n`,
    );
  } finally {
    await source.destroy();
  }
}

/** The server would not let in a bot under the name of one that it runs itself. */
function refuseBuiltIn(name: string, { withoutBots }: Config): void {
  if (!builtInNames().includes(name) || withoutBots.includes(name)) return;
  throw new UsageError(
    `${name} comes with the server: choose another name, or set PARLANCE_WITHOUT_BOTS=${name}.`,
  );
}

function readArguments(): { name: string; about: string; scopes: BotScope[] } {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { about: { type: 'string', default: '' }, scopes: { type: 'string' } },
  });
  const [name, ...rest] = positionals;
  if (name === undefined || rest.length > 0) throw new UsageError(USAGE);
  const checked = BotName.safeParse(name);
  if (!checked.success) throw new UsageError(checked.error.issues[0]?.message ?? USAGE);
  if (RESERVED_BOT_NAMES.has(name)) {
    throw new UsageError(`No bot may have one of the names ${[...RESERVED_BOT_NAMES].join(', ')}.`);
  }
  const scopes = (values.scopes?.split(',') ?? [...DEFAULT_SCOPES]).map((scope) => {
    const known = BotScope.safeParse(scope.trim());
    if (known.success) return known.data;
    throw new UsageError(`${scope} is no scope: use ${BotScope.options.join(', ')}.`);
  });
  return { name, about: values.about, scopes };
}

main().catch((error: unknown) => {
  const isKnown = error instanceof UsageError || error instanceof ConfigError;
  const isUsage = (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS') === true;
  const text = isKnown || isUsage ? (error as Error).message : String((error as Error).stack);
  process.stderr.write(`${text}\n`);
  process.exitCode = 1;
});
