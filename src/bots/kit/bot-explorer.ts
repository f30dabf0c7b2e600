import { Injectable, type Type } from '@nestjs/common';
import { ROUTE_ARGS_METADATA } from '@nestjs/common/internal.js';
import { DiscoveryService, ExternalContextCreator, MetadataScanner } from '@nestjs/core';

import type { BotReport } from './bot-host.js';
import {
  defineBot,
  type BotDefinition,
  type BotHandler,
  type BotOptions,
  type HandlerOptions,
} from './bot-definition.js';
import type { FoundBot } from './choose-bots.js';
import { BOT_OPTIONS, HANDLER_OPTIONS } from './chat-bot.decorator.js';

/** Synchronous work of a handler, in milliseconds, that is reported as slow. */
const SLOW_MS = 50;

type Method = (...args: unknown[]) => unknown;
type Slow = (report: BotReport) => void;

/** Finds the bots among the providers of the app, and wraps their handlers as Nest wraps routes. */
@Injectable()
export class BotExplorer {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly contexts: ExternalContextCreator,
  ) {}

  /**
   * Returns all bots of the app.
   *
   * @throws BotSetupError for an invalid bot
   */
  explore(slow: Slow): FoundBot[] {
    const providers: readonly { readonly instance: unknown }[] = this.discovery.getProviders();
    const bots = new Map<object, FoundBot>();
    for (const { instance } of providers) {
      if (typeof instance !== 'object' || instance === null || bots.has(instance)) continue;
      const options = Reflect.getMetadata(BOT_OPTIONS, instance.constructor) as unknown;
      if (options === undefined) continue;
      const bot = this.define(instance, options as BotOptions, slow);
      bots.set(instance, { ...bot, type: instance.constructor as Type });
    }
    return [...bots.values()];
  }

  private define(instance: object, options: BotOptions, slow: Slow): BotDefinition {
    const prototype = Object.getPrototypeOf(instance) as Record<string, Method>;
    const handlers: BotHandler[] = [];
    for (const method of this.scanner.getAllMethodNames(prototype)) {
      const callback = prototype[method];
      if (callback === undefined) continue;
      const handler = Reflect.getMetadata(HANDLER_OPTIONS, callback) as HandlerOptions | undefined;
      if (handler === undefined) continue;
      const timed = watch(callback, (ms) => {
        if (ms >= SLOW_MS) slow({ bot: options.name, kind: 'slow', handler: method, ms });
      });
      handlers.push({ method, options: handler, call: this.wrap(instance, timed, method) });
    }
    return defineBot(options, handlers);
  }

  private wrap(instance: object, callback: Method, method: string): BotHandler['call'] {
    return this.contexts.create(
      instance,
      callback,
      method,
      ROUTE_ARGS_METADATA,
      { exchangeKeyForValue: () => undefined },
      undefined,
      undefined,
      // Errors become reports; exception filters would hide their kind.
      { guards: true, interceptors: true, filters: false },
      'bot',
    ) as BotHandler['call'];
  }
}

/** Measures the synchronous part of a method; keeps its metadata, such as guards. */
function watch(callback: Method, took: (ms: number) => void): Method {
  const watched = function (this: unknown, ...args: unknown[]): unknown {
    const start = performance.now();
    try {
      return callback.apply(this, args);
    } finally {
      took(Math.round(performance.now() - start));
    }
  };
  for (const key of Reflect.getMetadataKeys(callback) as unknown[]) {
    Reflect.defineMetadata(key, Reflect.getMetadata(key, callback), watched);
  }
  return watched;
}
