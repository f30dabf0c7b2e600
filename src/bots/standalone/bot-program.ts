import type { INestApplicationContext } from '@nestjs/common';

import type { Status } from '#client/index.js';

import type { StandaloneBot } from './standalone-bot.js';

/** A program that runs bots outside the server; {@link connectBot} creates it. */
export class BotProgram {
  private closing: Promise<void> | null = null;

  constructor(
    private readonly app: INestApplicationContext,
    private readonly bots: ReadonlyMap<string, StandaloneBot>,
  ) {}

  /** Connection state of each bot, by name. */
  get status(): Readonly<Record<string, Status>> {
    return Object.fromEntries([...this.bots].map(([name, bot]) => [name, bot.status]));
  }

  /**
   * Resolves when all bots are connected.
   *
   * @throws BotStoppedError if the server refuses a bot
   * @throws BotSetupError if a token belongs to another bot
   */
  async ready(): Promise<void> {
    await Promise.all(this.all().map((bot) => bot.ready()));
  }

  /**
   * Resolves after {@link close}, or when all bots have stopped.
   *
   * @throws BotStoppedError, BotSetupError for the first bot that the server refused or replaced
   */
  async closed(): Promise<void> {
    const ends = await Promise.all(this.all().map((bot) => bot.ended));
    const error = ends.find((end) => end !== null);
    if (error !== undefined) throw error;
    await this.closing;
  }

  /**
   * Closes the program: running handlers may finish, no other starts, and handled events are
   * acknowledged.
   */
  close(): Promise<void> {
    this.closing ??= this.end();
    return this.closing;
  }

  /** Resolves when the server has answered a ping of each bot. */
  async ping(): Promise<void> {
    await Promise.all(this.all().map((bot) => bot.ping()));
  }

  private all(): StandaloneBot[] {
    return [...this.bots.values()];
  }

  private async end(): Promise<void> {
    await Promise.all(this.all().map((bot) => bot.close()));
    await this.app.close();
  }
}
