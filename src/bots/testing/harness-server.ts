import { rm } from 'node:fs/promises';
import type { AddressInfo, Server } from 'node:net';

import type { INestApplication, ModuleMetadata, Provider } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';

import { ParlanceModule } from '../../parlance.module.js';
import { ENTITIES } from '../../store/entities.js';
import { readConfig, type Config } from '../../config/config.js';
import { writerDataSource } from '../../database/data-source.js';
import { registerBot, type RegisteredBot } from '../../users/bot-accounts.js';
import { InMemoryTransport } from '../../transports/in-memory/in-memory.transport.js';
import { ParlanceAdapter } from '../../transports/parlance.adapter.js';
import { BUILT_IN_BOT_NAMES } from '../built-in/built-in-bots.js';
import type { BotSource } from '../kit/bot-source.js';
import { makeHarnessFolder } from './harness-folder.js';
import { LIFTED_LIMITS } from './lifted-limits.js';

const HOST = '127.0.0.1';

/** The parts of the server of a harness. */
export interface HarnessParts {
  /** Bots that run inside the server. */
  readonly bots: readonly BotSource[];
  /** Accounts of remote bots; without any, the server opens no port. */
  readonly accounts: readonly Omit<RegisteredBot, 'id'>[];
  readonly imports: NonNullable<ModuleMetadata['imports']>;
  readonly providers: readonly Provider[];
  readonly settings: Readonly<Record<string, string>>;
}

/** The complete server with a SQLite database in a temporary folder. */
export class HarnessServer {
  /** Tokens of the remote bots, by name. */
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

  /** URL for remote bots. */
  get url(): string {
    const server = this.app.getHttpServer() as Server;
    return `http://${HOST}:${String((server.address() as AddressInfo).port)}`;
  }

  /** Starts the server; a second time, on the same database. */
  async start(): Promise<void> {
    const { bots, accounts, imports, providers } = this.parts;
    const isFirst = this.folder === undefined;
    this.folder ??= await makeHarnessFolder();
    const config = this.readConfig(this.folder);
    if (isFirst && accounts.length > 0) await this.register(config);
    const module = ParlanceModule.forRoot(config, { bots, imports, providers });
    const app = await NestFactory.create(module, {
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

  /** Stops the server; keeps the database. */
  async stop(): Promise<void> {
    await this.running?.close();
    this.running = undefined;
  }

  /** Deletes the database. */
  async remove(): Promise<void> {
    if (this.folder !== undefined) await rm(this.folder, { recursive: true, force: true });
  }

  /** Reads the settings; leaves out built-in bots that run as remote bots. */
  private readConfig(folder: string): Config {
    const { accounts, settings } = this.parts;
    const names = accounts.map(({ name }) => name);
    return readConfig({
      ...LIFTED_LIMITS,
      PARLANCE_WITHOUT_BOTS: BUILT_IN_BOT_NAMES.filter((name) => names.includes(name)).join(','),
      ...settings,
      PARLANCE_DATA_DIR: folder,
    });
  }

  /** Registers the remote bots, as an operator does before the server starts. */
  private async register(config: Config): Promise<void> {
    const source = await writerDataSource(config, ENTITIES).initialize();
    try {
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
