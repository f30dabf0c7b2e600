import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { INestApplication, Provider } from '@nestjs/common';
import {
  DiscoveryService,
  ExternalContextCreator,
  MetadataScanner,
  NestFactory,
} from '@nestjs/core';

import { ParlanceModule } from '../app.module.js';
import { readConfig } from '../config/config.js';
import { InMemoryTransport } from '../transports/in-memory/in-memory.transport.js';
import { ParlanceAdapter } from '../transports/parlance.adapter.js';
import { BotExplorer } from '../bots/bot-explorer.js';
import type { BotSource } from '../bots/bots.module.js';
import type { BotFaults } from './bot-faults.js';
import { FaultyBotExplorer } from './faulty-bot-explorer.js';

/** Limits that no test runs into unless it wants to. */
const LIFTED = {
  PARLANCE_LIMIT_MESSAGES_PER_SECOND: '1000000',
  PARLANCE_LIMIT_MESSAGES_BURST: '1000000',
  PARLANCE_LIMIT_COMMANDS_PER_SECOND: '1000000',
  PARLANCE_LIMIT_COMMANDS_BURST: '1000000',
  PARLANCE_LIMIT_ROOMS_PER_HOUR: '1000000',
};

/** What a server of a harness is made of. */
export interface HarnessParts {
  readonly bots: readonly BotSource[];
  readonly providers: readonly Provider[];
  readonly settings: Readonly<Record<string, string>>;
  readonly faults: BotFaults;
}

/** The whole gateway without a port, on SQLite in a temporary folder. */
export class HarnessServer {
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

  /** Starts; a second time on the same database. */
  async start(): Promise<void> {
    const { bots, providers, faults, settings } = this.parts;
    this.folder ??= await mkdtemp(join(tmpdir(), 'parlance-bots-'));
    const config = readConfig({ ...LIFTED, ...settings, PARLANCE_DATA_DIR: this.folder });
    const explorer = {
      provide: BotExplorer,
      inject: [DiscoveryService, MetadataScanner, ExternalContextCreator],
      useFactory: (...injected: ConstructorParameters<typeof BotExplorer>) =>
        new FaultyBotExplorer(faults, ...injected),
    };
    const all = { bots, providers: [explorer, ...providers] };
    const app = await NestFactory.create(ParlanceModule.forRoot(config, all), {
      logger: false,
      abortOnError: false,
    });
    app.useWebSocketAdapter(new ParlanceAdapter(app));
    await app.init();
    this.running = app;
  }

  /** Stops; the database stays. */
  async stop(): Promise<void> {
    const app = this.running;
    this.running = undefined;
    await app?.close();
  }

  /** Removes the database. */
  async remove(): Promise<void> {
    if (this.folder !== undefined) await rm(this.folder, { recursive: true, force: true });
  }
}
