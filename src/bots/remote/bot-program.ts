import type { INestApplicationContext } from '@nestjs/common';

import type { Status } from '#client/index.js';

import type { RemoteBot } from './remote-bot.js';

/** Bots that run as a program of their own; {@link connectBot} makes one. */
export class BotProgram {
  private closing: Promise<void> | null = null;

  constructor(
    private readonly app: INestApplicationContext,
    private readonly bots: ReadonlyMap<string, RemoteBot>,
  ) {}

  /** How each bot is connected, by name. */
  get status(): Readonly<Record<string, Status>> {
    return Object.fromEntries([...this.bots].map(([name, bot]) => [name, bot.status]));
  }

  /** How many events came so far, alarms included. */
  get received(): number {
    return this.all().reduce((sum, { dispatcher }) => sum + dispatcher.received, 0);
  }

  /**
   * Resolves when all bots are connected.
   *
   * @throws BotStoppedError if the server refuses one
   * @throws BotSetupError if a token is that of another bot
   */
  async ready(): Promise<void> {
    await Promise.all(this.all().map((bot) => bot.ready()));
  }

  /**
   * Resolves after {@link close}, or when no bot comes back.
   *
   * @throws BotStoppedError, BotSetupError for the first bot that the server refused or sent away
   */
  async closed(): Promise<void> {
    const ends = await Promise.all(this.all().map((bot) => bot.ended()));
    const error = ends.find((end) => end !== null);
    if (error !== undefined) throw error;
    await this.closing;
  }

  /**
   * Ends the program: handlers that run have their time, no other is begun, and what was dealt
   * with is acknowledged.
   */
  close(): Promise<void> {
    this.closing ??= this.end();
    return this.closing;
  }

  /** Counts the rooms in which a bot has something to do. */
  countBusy(): number {
    return this.all().reduce((sum, { dispatcher }) => sum + dispatcher.countBusy(), 0);
  }

  /** Counts what is planned by the clock. */
  countTimers(): number {
    return this.all().reduce((sum, { dispatcher }) => sum + dispatcher.countTimers(), 0);
  }

  /** Resolves when the server has answered all that the bots had sent before. */
  async answered(): Promise<void> {
    await Promise.all(this.all().map((bot) => bot.answered()));
  }

  private all(): RemoteBot[] {
    return [...this.bots.values()];
  }

  private async end(): Promise<void> {
    await Promise.all(this.all().map((bot) => bot.close()));
    await this.app.close();
  }
}
