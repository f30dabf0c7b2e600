import {
  CommandError,
  connect,
  type Chat,
  type ChatOptions,
  type RoomEvent,
  type Status,
} from '#client/index.js';

import type { EventData, LogEvent } from '../../protocol/events.js';
import { within, type BotClock } from '../runtime/bot-clock.js';
import { BotSetupError, type BotDefinition } from '../runtime/bot-manifest.js';
import type { BotReporter } from '../runtime/bot-reporter.js';
import { helloOf, type ChosenHello } from './bot-hello.js';
import { BotStoppedError } from './bot-stopped-error.js';
import { RemoteBotHost } from './remote-bot-host.js';
import { RemoteDispatcher } from './remote-dispatcher.js';

/** Longest time that the end of a bot waits for the server, after the time of its handlers. */
const ANSWER_MS = 10_000;

/** How a bot connects. */
export interface RemoteBotSettings {
  readonly connecting: ChatOptions;
  readonly hello: ChosenHello;
  readonly onStatus: (bot: string, status: Status) => void;
}

/** What bots of one program share. */
export interface RemoteBotTools {
  readonly clock: BotClock;
  readonly reporter: BotReporter;
}

/** One bot of this program: its connection, and what it does over it. */
export class RemoteBot {
  readonly dispatcher: RemoteDispatcher;
  private readonly chat: Chat;
  /** Why the bot can never run; null while it can. */
  private failure: Error | null = null;
  private isChecked = false;
  /** Resolves at the end of the connection, to why it ended unless that was wanted. */
  private readonly whenEnded: Promise<Error | null>;

  /**
   * Begins to connect.
   *
   * @throws BotSetupError for handlers that the server cannot be told of
   * @throws TypeError if the address is none
   */
  constructor(
    private readonly definition: BotDefinition,
    private readonly settings: RemoteBotSettings,
    private readonly tools: RemoteBotTools,
  ) {
    const { connecting, hello } = settings;
    const bot = helloOf(definition, hello);
    this.chat = connect({ ...connecting, hello: { ...connecting.hello, bot } });
    const host = new RemoteBotHost(definition.name, this.chat, tools.reporter);
    const { clock } = tools;
    this.dispatcher = new RemoteDispatcher({ bot: definition, chat: this.chat, host, clock });
    this.whenEnded = new Promise((resolve) => this.listen(resolve));
  }

  /** How the bot is connected. */
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
      throw (await this.whenEnded) ?? error;
    }
    if (this.failure !== null) throw this.failure;
  }

  /** Resolves when the connection has ended for good, to why; null if that was wanted. */
  ended(): Promise<Error | null> {
    return this.whenEnded;
  }

  /** Resolves when the server has answered all that was sent before. */
  async answered(): Promise<void> {
    await this.chat.call('session.ping');
  }

  /** Lets the handlers that run come to their end, tells the server of it, and disconnects. */
  async close(): Promise<void> {
    this.dispatcher.stop();
    const settled = Promise.race([this.dispatcher.settled(), this.untilDisconnected()]);
    await within(this.definition.timeoutMs + ANSWER_MS, settled, this.tools.clock);
    await this.chat.close();
  }

  private listen(ended: (error: Error | null) => void): void {
    const { reporter } = this.tools;
    const bot = this.definition.name;
    this.chat.on('event', (event) => this.take(event));
    this.chat.on('error', (error) => reporter.report({ bot, kind: 'error', error }));
    this.chat.on('status', (status) => {
      if (status.name === 'open') this.opened(status.welcome.user.name);
      if (status.name === 'closed') ended(this.endOf(status));
      this.settings.onStatus(bot, status);
    });
  }

  private take(event: RoomEvent): void {
    const { data } = event;
    if (event.event === 'alarm.due') this.dispatcher.ring(data as EventData<'alarm.due'>);
    else if ('seq' in data) this.dispatcher.take(event as LogEvent);
  }

  /** Goes on as the bot that the token belongs to, which has to be this one. */
  private opened(name: string): void {
    if (name === this.definition.name) {
      this.dispatcher.sessionOpened();
      void this.checkScopes();
      return;
    }
    this.failure = new BotSetupError(
      `The token is that of the bot ${name}, and not of ${this.definition.name}.`,
    );
    this.dispatcher.stop();
    void this.chat.close();
  }

  /** Says which scopes the bot was not registered with: some of its handlers are never called. */
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
          `register it again, by npm run bot:create -- ${bot} --scopes ${[...scopes].join()}`,
      );
      this.tools.reporter.report({ bot, kind: 'denied', error });
    } catch (error) {
      // Without an answer the connection has ended, which is told elsewhere.
      if (error instanceof CommandError) this.tools.reporter.report({ bot, kind: 'error', error });
    }
  }

  private endOf({ error }: Extract<Status, { name: 'closed' }>): Error | null {
    this.dispatcher.stop();
    const bot = this.definition.name;
    const why = this.failure ?? (error === undefined ? null : new BotStoppedError(bot, error));
    if (why !== null) this.tools.reporter.report({ bot, kind: 'stopped', error: why });
    return why;
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
