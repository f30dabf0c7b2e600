import type { LoggerService, LogLevel, Provider } from '@nestjs/common';

import type { ChatOptions, Status } from '#client/index.js';

import type { BotSource } from '../runtime/bot-source.js';
import type { ChosenHello } from './bot-hello.js';

/** How the connection is made; as for every client. */
type Connecting = Pick<
  ChatOptions,
  'url' | 'transport' | 'socketIo' | 'connectTimeoutMs' | 'returnDelays'
>;

/** Which bots are to run here, and where they connect. */
export interface ConnectBotOptions extends Connecting, ChosenHello {
  /** The token that `npm run bot:create` showed; for several bots, one for each name. */
  readonly token: string | Readonly<Record<string, string>>;
  /** Classes marked with `@ChatBot`, or instances of such. */
  readonly bots: readonly BotSource[];
  /** What the bots inject, and what takes the place of `BotReporter` and `BotClock`. */
  readonly providers?: readonly Provider[];
  /** Called whenever a bot connects, waits to come back, or has ended. */
  readonly onStatus?: (bot: string, status: Status) => void;
  /** Logger of Nest for the process, or the levels that are logged. Default: `warn` and above. */
  readonly logger?: LoggerService | LogLevel[] | false;
}
