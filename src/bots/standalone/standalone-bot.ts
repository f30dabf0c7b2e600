import {
  CommandError,
  connect,
  type Chat,
  type ChatOptions,
  type RoomEvent,
  type Status,
} from '#client/index.js';

import type { EventData, LogEvent } from '../../protocol/events.js';
import { within, type BotClock } from '../kit/bot-clock.js';
import { BotSetupError, type BotDefinition } from '../kit/bot-definition.js';
import type { BotReporter } from '../kit/bot-reporter.js';
import type { IdleTracker } from '../kit/idle-tracker.js';
import { helloOf, type ChosenHello } from './bot-hello.js';
import { BotStoppedError } from './bot-stopped-error.js';
import { StandaloneBotHost } from './standalone-bot-host.js';
import { StandaloneDispatcher } from './standalone-dispatcher.js';

/** Maximum time that `close` waits for the server, after the timeout of the handlers. */
const ANSWER_MS = 10_000;

/** The connection settings of a bot. */
export interface StandaloneBotSettings {
  readonly connecting: ChatOptions;
  readonly hello: ChosenHello;
  readonly onStatus: (bot: string, status: Status) => void;
}

/** The dependencies that the bots of a program share. */
export interface StandaloneBotTools {
  readonly clock: BotClock;
  readonly reporter: BotReporter;
  readonly idle: IdleTracker;
}

/** One bot of this program and its connection. */
export class StandaloneBot {
  private readonly dispatcher: StandaloneDispatcher;
  private readonly chat: Chat;
  /** Why the bot cannot run; null if it can. */
  private failure: Error | null = null;
  private isChecked = false;
  /** Resolves when the connection has closed for good; to null if that was requested. */
  readonly ended: Promise<Error | null>;

  /**
   * Starts to connect.
   *
   * @throws BotSetupError if the server would refuse the commands of the bot
   * @throws TypeError if the URL is invalid
   */
  constructor(
    private readonly definition: BotDefinition,
    private readonly settings: StandaloneBotSettings,
    private readonly tools: StandaloneBotTools,
  ) {
    const { connecting, hello } = settings;
    const bot = helloOf(definition, hello);
    this.chat = connect({
      timeoutMs: Infinity,
      ...connecting,
      hello: { ...connecting.hello, bot },
    });
    const host = new StandaloneBotHost(definition.name, this.chat, tools.reporter);
    const { clock, idle } = tools;
    this.dispatcher = new StandaloneDispatcher({
      bot: definition,
      chat: this.chat,
      host,
      clock,
      idle,
    });
    this.ended = new Promise((resolve) => this.listen(resolve));
  }

  /** State of the connection. */
  get status(): Status {
    return this.chat.status;
  }

  /**
   * Resolves when the bot is connected.
   *
   * @throws BotSetupError, BotStoppedError
   */
  async ready(): Promise<void> {
    try {
      await this.chat.ready();
    } catch (error) {
      throw (await this.ended) ?? error;
    }
    if (this.failure !== null) throw this.failure;
  }

  /** Resolves when the server has answered a ping, and thus all commands sent before. */
  async ping(): Promise<void> {
    await this.chat.call('session.ping');
  }

  /** Waits for running handlers, acknowledges their events, and disconnects. */
  async close(): Promise<void> {
    this.dispatcher.stop();
    const settled = Promise.race([this.dispatcher.settled(), this.untilDisconnected()]);
    await within(this.definition.timeoutMs + ANSWER_MS, settled, this.tools.clock);
    await this.chat.close();
  }

  private listen(ended: (error: Error | null) => void): void {
    const { reporter } = this.tools;
    const bot = this.definition.name;
    this.chat.on('event', (event) => this.push(event));
    this.chat.on('error', (error) => reporter.report({ bot, kind: 'error', error }));
    this.chat.on('status', (status) => {
      if (status.name === 'open') this.opened(status.welcome.user.name);
      if (status.name === 'closed') ended(this.endOf(status));
      this.settings.onStatus(bot, status);
    });
  }

  private push(event: RoomEvent): void {
    const { data } = event;
    if (event.event === 'alarm.due') this.dispatcher.pushAlarm(data as EventData<'alarm.due'>);
    else if ('seq' in data) this.dispatcher.push(event as LogEvent);
  }

  /** Starts the session, or fails if the token belongs to another bot. */
  private opened(name: string): void {
    if (name === this.definition.name) {
      this.dispatcher.sessionOpened();
      void this.checkScopes();
      return;
    }
    this.failure = new BotSetupError(
      `The token belongs to the bot ${name}, not to ${this.definition.name}.`,
    );
    this.dispatcher.stop();
    void this.chat.close();
  }

  /** Reports scopes that the registration lacks: some handlers would never be called. */
  private async checkScopes(): Promise<void> {
    if (this.isChecked) return;
    this.isChecked = true;
    const { name: bot, scopes } = this.definition;
    try {
      const { bots } = await this.chat.call('bot.status');
      const own = bots.find(({ bot: { name } }) => name === bot);
      const missing = [...scopes].filter((scope) => own?.wants.includes(scope) !== true);
      if (missing.length === 0) return;
      const error = new BotSetupError(
        `The bot ${bot} was registered without ${missing.join(', ')}: ` +
          `register it again with npm run bot:create -- ${bot} --scopes ${[...scopes].join()}`,
      );
      this.tools.reporter.report({ bot, kind: 'denied', error });
    } catch (error) {
      // Without an answer the connection has closed, which is reported elsewhere.
      if (error instanceof CommandError) this.tools.reporter.report({ bot, kind: 'error', error });
    }
  }

  private endOf({ error }: Extract<Status, { name: 'closed' }>): Error | null {
    this.dispatcher.stop();
    const bot = this.definition.name;
    const reason = this.failure ?? (error === undefined ? null : new BotStoppedError(bot, error));
    if (reason !== null) this.tools.reporter.report({ bot, kind: 'stopped', error: reason });
    return reason;
  }

  private async untilDisconnected(): Promise<void> {
    if (this.chat.status.name !== 'open') return;
    await new Promise<void>((resolve) => {
      const off = this.chat.on('status', () => {
        off();
        resolve();
      });
    });
  }
}
