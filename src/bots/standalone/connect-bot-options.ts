import type { LoggerService, LogLevel, ModuleMetadata, Provider } from '@nestjs/common';

import type { ChatOptions, Status } from '#client/index.js';

import type { BotSource } from '../kit/bot-source.js';
import type { ChosenHello } from './bot-hello.js';

/** Connection options, the same as for every client. */
type ConnectionOptions = Pick<
  ChatOptions,
  'url' | 'transport' | 'socketIo' | 'connectTimeoutMs' | 'reconnectDelays'
>;

/** Options of `connectBot`. */
export interface ConnectBotOptions extends ConnectionOptions, ChosenHello {
  /** The token that `npm run bot:create` printed; for several bots, one per name. */
  readonly token: string | Readonly<Record<string, string>>;
  /** Classes marked with `@ChatBot`, or instances of them. */
  readonly bots: readonly BotSource[];
  /** Modules that export what the bots inject. */
  readonly imports?: NonNullable<ModuleMetadata['imports']>;
  /** Dependencies of the bots, and replacements for `BotReporter` and `BotClock`. */
  readonly providers?: readonly Provider[];
  /** Called when the connection state of a bot changes. */
  readonly onStatus?: (bot: string, status: Status) => void;
  /** Nest logger of the process, or the levels to log. Default: `warn` and above. */
  readonly logger?: LoggerService | LogLevel[] | false;
}
