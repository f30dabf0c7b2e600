import {
  Inject,
  Module,
  Optional,
  type DynamicModule,
  type FactoryProvider,
  type Provider,
} from '@nestjs/common';

import { BotsModule } from './bots/bots.module.js';
import type { BotSource } from './bots/kit/bot-source.js';
import { BotDispatcher } from './bots/server/dispatch/bot-dispatcher.js';
import { RemoteBots } from './bots/server/remote/remote-bots.js';
import { BotRoster } from './bots/server/roster/bot-roster.js';
import { ChatModule } from './chat/chat.module.js';
import { CLUSTER_PORT } from './chat/ports/cluster-port.js';
import { BOT_PORT } from './chat/ports/bot-port.js';
import { DIALECT_PORT } from './chat/ports/dialect-port.js';
import { RoomHub } from './chat/fan-out/room-hub.js';
import { ClusterModule } from './cluster/cluster.module.js';
import { ClusterNode } from './cluster/cluster-node.js';
import { ClusterRelay } from './cluster/cluster-relay.js';
import { CONFIG, type Config } from './config/config.js';
import { ConfigModule, type ConfigSource } from './config/config.module.js';
import type { HttpOptions } from './config/http-options.js';
import { DatabaseModule } from './database/database.module.js';
import { Writer } from './database/writer.js';
import type { Dialect } from './dialects/dialect.js';
import { DialectsModule } from './dialects/dialects.module.js';
import { DIALECTS } from './dialects/dialect-tokens.js';
import { DialectsService } from './dialects/dialects.service.js';
import { Observers } from './dialects/observers.js';
import type { FileStorage } from './files/file-storage.js';
import { FileStorageModule } from './files/file-storage.module.js';
import { FilesModule } from './files/files.module.js';
import { HttpModule } from './http/http.module.js';
import { HistoryPages } from './messages/history-pages.js';
import { MessagesModule } from './messages/messages.module.js';
import { ActiveRooms } from './rooms/active-rooms.js';
import { RoomsModule } from './rooms/rooms.module.js';
import { ENTITIES } from './store/entities.js';
import { LogFeed } from './store/log-feed.js';
import { TransportsModule } from './transports/transports.module.js';
import { UsersModule } from './users/users.module.js';

/** Options of the chat besides its settings. An app that sets none keeps all its own routes. */
export interface ParlanceOptions {
  /** Bots to run: classes marked with `@ChatBot`, or instances of them. */
  readonly bots?: readonly BotSource[];
  /** Modules whose exports the bots and the `providers` inject. */
  readonly imports?: ModuleImports;
  /** Providers that the bots inject, and replacements of providers such as `BotReporter`. */
  readonly providers?: readonly Provider[];
  /** Protocols of legacy clients to translate; none by default. */
  readonly dialects?: readonly Dialect[];
  /** Storage of file contents; a folder on the local disk by default. */
  readonly storage?: FileStorage;
  /** Path prefix of all routes, and the routes beside `/ws`, `/socket.io/` and `/api/files`. */
  readonly http?: HttpOptions;
  /** Whether every module of the app can inject the exports of this module. */
  readonly isGlobal?: boolean;
}

/** The same options, with settings that a factory provides. */
export interface ParlanceAsyncOptions extends ParlanceOptions {
  /** Modules whose exports the factory, the bots and the `providers` inject. */
  readonly imports?: ModuleImports;
  /** Tokens of the providers that are passed to the factory. */
  readonly inject?: FactoryProvider['inject'];
  /** Returns the settings, as {@link readConfig} does. */
  // As in Nest: the types of the arguments depend on `inject`.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly useFactory: (...args: any[]) => Config | Promise<Config>;
}

type ModuleImports = NonNullable<DynamicModule['imports']>;

/**
 * Binds the ports of lower folders to their implementations, and orders the listeners of the feed.
 *
 * It is global because chat/ injects the ports and cannot import the modules above it.
 */
@Module({})
class WiringModule {
  /**
   * Registers the listeners of the feed in this order: what is kept in memory changes first, so that a cut is
   * never older than an event sent before it; then events are sent; bots react last.
   */
  constructor(
    writer: Writer,
    feed: LogFeed,
    activeRooms: ActiveRooms,
    historyPages: HistoryPages,
    roster: BotRoster,
    hub: RoomHub,
    observers: Observers,
    dispatcher: BotDispatcher,
    remoteBots: RemoteBots,
    relay: ClusterRelay,
    cluster: ClusterNode,
  ) {
    const caches = [activeRooms, historyPages, roster];
    const senders = [hub, observers, relay];
    const bots = [dispatcher, remoteBots];
    for (const listener of [...caches, ...senders, ...bots]) feed.listen(listener);
    writer.listen(feed);
    writer.listen(cluster);
  }

  static forRoot(bots: DynamicModule, dialects: DynamicModule): DynamicModule {
    return {
      module: WiringModule,
      global: true,
      imports: [RoomsModule, MessagesModule, ChatModule, ClusterModule, bots, dialects],
      providers: [
        { provide: BOT_PORT, useExisting: RemoteBots },
        {
          provide: CLUSTER_PORT,
          inject: [CONFIG, ClusterRelay],
          useFactory: ({ busUrl }: Config, relay: ClusterRelay) =>
            busUrl === undefined ? null : relay,
        },
        {
          provide: DIALECT_PORT,
          inject: [DIALECTS, DialectsService],
          useFactory: (spoken: readonly Dialect[], port: DialectsService) =>
            spoken.length === 0 ? null : port,
        },
      ],
      exports: [BOT_PORT, CLUSTER_PORT, DIALECT_PORT],
    };
  }
}

/** The chat as one Nest module. The app must also use {@link ParlanceAdapter}. */
@Module({})
export class ParlanceModule {
  /** @throws Error if the app imports the class itself, which has no settings */
  constructor(@Optional() @Inject(CONFIG) config?: Config) {
    if (config === undefined) {
      throw new Error('ParlanceModule has no settings: import ParlanceModule.forRoot(config).');
    }
  }

  /** Configures the chat with settings from {@link readConfig}. */
  static forRoot(config: Config, options: ParlanceOptions = {}): DynamicModule {
    return this.compose({ useValue: config }, options);
  }

  /** Configures the chat with settings from a factory, which can inject providers of the app. */
  static forRootAsync({
    inject = [],
    useFactory,
    ...options
  }: ParlanceAsyncOptions): DynamicModule {
    return this.compose({ inject, useFactory }, options);
  }

  private static compose(config: ConfigSource, options: ParlanceOptions): DynamicModule {
    const { bots = [], imports = [], providers = [], dialects = [], storage, http } = options;
    const botsModule = BotsModule.forRoot({ bots, imports, providers });
    const dialectsModule = DialectsModule.forRoot(dialects);
    return {
      module: ParlanceModule,
      global: options.isGlobal ?? false,
      imports: [
        ConfigModule.forRoot(config, imports, http),
        DatabaseModule.forRoot(ENTITIES),
        UsersModule,
        RoomsModule,
        FileStorageModule.forRoot(storage),
        FilesModule,
        MessagesModule,
        ChatModule,
        ClusterModule,
        botsModule,
        dialectsModule,
        WiringModule.forRoot(botsModule, dialectsModule),
        TransportsModule,
        HttpModule.forRoot(dialectsModule),
      ],
      exports: [ChatModule, BotsModule, FilesModule, TransportsModule],
    };
  }
}
