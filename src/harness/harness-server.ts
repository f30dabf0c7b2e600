import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { INestApplication, Provider } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';

import { ENTITIES, ParlanceModule } from '../app.module.js';
import { readConfig, type Config } from '../config/config.js';
import { writerDataSource } from '../database/data-source.js';
import { registerBot, type RegisteredBot } from '../users/bot-accounts.service.js';
import { InMemoryTransport } from '../transports/in-memory/in-memory.transport.js';
import { ParlanceAdapter } from '../transports/parlance.adapter.js';
import { BUILT_IN_BOTS } from '../bots/built-in.js';
import { optionsOf, type BotSource } from '../bots/runtime/bot-source.js';
import { LIFTED_LIMITS } from './lifted-limits.js';

const HOST = '127.0.0.1';

/** What a server of a harness is made of. */
export interface HarnessParts {
  /** Bots that run inside it. */
  readonly bots: readonly BotSource[];
  /** Bots that connect from afar; without any, the server opens no port. */
  readonly accounts: readonly Omit<RegisteredBot, 'id'>[];
  readonly providers: readonly Provider[];
  readonly settings: Readonly<Record<string, string>>;
}

/** The whole gateway, on SQLite in a temporary folder. */
export class HarnessServer {
  /** Tokens of the bots that connect from afar, by name. */
  readonly tokens: Record<string, string> = {};
  private running: INestApplication | undefined;
  private folder: string | undefined;

  constructor(private readonly parts: HarnessParts) {}

  get app(): INestApplication {
    if (this.running === undefined) throw new Error('The harness is closed.');
    return this.running;
  }

  get transport(): InMemoryTransport {
    return this.app.get(InMemoryTransport);
  }

  /** Where bots from afar connect. */
  get url(): string {
    const server = this.app.getHttpServer() as Server;
    return `http://${HOST}:${String((server.address() as AddressInfo).port)}`;
  }

  /** Starts; a second time on the same database. */
  async start(): Promise<void> {
    const { bots, accounts, providers } = this.parts;
    const isFirst = this.folder === undefined;
    this.folder ??= await mkdtemp(join(tmpdir(), 'parlance-bots-'));
    const config = this.readConfig(this.folder);
    if (isFirst && accounts.length > 0) await this.register(config);
    const app = await NestFactory.create(ParlanceModule.forRoot(config, { bots, providers }), {
      logger: false,
      abortOnError: false,
    });
    app.useWebSocketAdapter(new ParlanceAdapter(app));
    this.running = app;
    try {
      await (accounts.length > 0 ? app.listen(0, HOST) : app.init());
    } catch (error) {
      await this.stop();
      await this.remove();
      throw error;
    }
  }

  /** Stops; the database stays. */
  async stop(): Promise<void> {
    await this.running?.close();
    this.running = undefined;
  }

  /** Removes the database. */
  async remove(): Promise<void> {
    if (this.folder !== undefined) await rm(this.folder, { recursive: true, force: true });
  }

  /** Bots that come with the server make room for those from afar that have their names. */
  private readConfig(folder: string): Config {
    const { accounts, settings } = this.parts;
    const names = accounts.map(({ name }) => name);
    const builtIn = BUILT_IN_BOTS.map((bot) => optionsOf(bot).name);
    return readConfig({
      ...LIFTED_LIMITS,
      PARLANCE_WITHOUT_BOTS: builtIn.filter((name) => names.includes(name)).join(','),
      ...settings,
      PARLANCE_DATA_DIR: folder,
    });
  }

  /** Registers the bots from afar, as their operator does before the server starts. */
  private async register(config: Config): Promise<void> {
    const source = await writerDataSource(config, ENTITIES).initialize();
    try {
      await source.runMigrations({ transaction: 'each' });
      for (const account of this.parts.accounts) {
        this.tokens[account.name] = await source.transaction((manager) =>
          registerBot(manager, account),
        );
      }
    } finally {
      await source.destroy();
    }
  }
}
