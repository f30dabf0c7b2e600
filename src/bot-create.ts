import { parseArgs } from 'node:util';

import { BUILT_IN_BOT_NAMES } from './bots/built-in/built-in-bots.js';
import { RESERVED_BOT_NAMES } from './bots/kit/bot-definition.js';
import { readConfig, type Config } from './config/config.js';
import { loadEnvFile } from './config/env-file.js';
import { StartError } from './config/start-error.js';
import { openBeside } from './database/open-beside.js';
import { toOpenError } from './database/open-error.js';
import { exitOnError } from './server/exit-on-error.js';
import { ENTITIES } from './store/entities.js';
import { BotLine, BotName, BotScope, DEFAULT_SCOPES } from './protocol/bots.js';
import { registerBot } from './users/bot-accounts.js';

const USAGE = `Registers a remote bot and prints its token, which is shown only once.

  npm run bot:create -- NAME [--about TEXT] [--scopes SCOPE,SCOPE]

For an existing name it issues a new token; the previous one stays valid until the next is issued.
Scopes: ${BotScope.options.join(', ')}.
Without --scopes: ${DEFAULT_SCOPES.join(', ')}.`;

/** Reports invalid arguments. */
class UsageError extends StartError {
  constructor(what: string) {
    super({ what, remedy: '' });
  }
}

/** Registers the bot in the database, even while the server runs. */
async function main(): Promise<void> {
  const { name, about, scopes } = readArguments();
  loadEnvFile();
  const config = readConfig(process.env);
  refuseBuiltIn(name, config);
  const source = await openBeside(config, ENTITIES).catch((error: unknown) => {
    throw toOpenError(error, config);
  });
  try {
    const token = await source.transaction((manager) =>
      registerBot(manager, { name, about, scopes }),
    );
    process.stdout.write(
      `The bot ${name} can connect with this token, which is not shown again:\n\n  ${token}\n\n` +
        `The owner of a room adds the bot with: {"id":1,"cmd":"bot.add","data":{"room":"…","bot":"${name}"}}\n`,
    );
  } finally {
    await source.destroy();
  }
}

/** Refuses the name of a bot that the server runs itself, because it would reject the connection. */
function refuseBuiltIn(name: string, { withoutBots }: Config): void {
  if (!BUILT_IN_BOT_NAMES.includes(name) || withoutBots.includes(name)) return;
  throw new UsageError(
    `The server already runs a bot ${name}: choose another name, or set PARLANCE_WITHOUT_BOTS=${name}.`,
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
    throw new UsageError(
      `The name ${name} is reserved. Reserved names: ${[...RESERVED_BOT_NAMES].join(', ')}.`,
    );
  }
  const scopes = (values.scopes?.split(',') ?? [...DEFAULT_SCOPES]).map((scope) => {
    const known = BotScope.safeParse(scope.trim());
    if (known.success) return known.data;
    throw new UsageError(`Unknown scope ${scope}: use ${BotScope.options.join(', ')}.`);
  });
  return { name, about: oneLine(values.about), scopes };
}

function oneLine(about: string): string {
  const { data, error } = BotLine.safeParse(about);
  if (data === undefined) throw new UsageError(`--about: ${error.issues[0]?.message ?? USAGE}`);
  return data;
}

main().catch((error: unknown) => {
  const isUsage = (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS') === true;
  exitOnError(isUsage ? new UsageError((error as Error).message) : error);
});
