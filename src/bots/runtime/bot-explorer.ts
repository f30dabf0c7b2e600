import { Inject, Injectable, type Type } from '@nestjs/common';
import { ROUTE_ARGS_METADATA } from '@nestjs/common/internal.js';
import { DiscoveryService, ExternalContextCreator, MetadataScanner } from '@nestjs/core';

import type { BotReport } from './bot-host.js';
import {
  defineBot,
  type BotDefinition,
  type BotHandler,
  type BotOptions,
  type HandlerOptions,
} from './bot-manifest.js';
import type { FoundBot } from './choose-bots.js';
import { BOT_OPTIONS, HANDLER_OPTIONS } from './chat-bot.decorator.js';

/** Milliseconds of its own work after which a handler holds up everybody else. */
const SLOW_MS = 50;

type Method = (...args: unknown[]) => unknown;
type Slow = (report: BotReport) => void;

/** Finds the bots among the providers of the app, and wraps their handlers as Nest does. */
@Injectable()
export class BotExplorer {
  constructor(
    @Inject(DiscoveryService) private readonly discovery: DiscoveryService,
    @Inject(MetadataScanner) private readonly scanner: MetadataScanner,
    @Inject(ExternalContextCreator) private readonly contexts: ExternalContextCreator,
  ) {}

  /**
   * Defines every bot of the app.
   *
   * @throws BotSetupError for a bot that cannot work
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
      // What is thrown becomes a report, whose kind filters could only hide.
      { guards: true, interceptors: true, filters: false },
      'bot',
    ) as BotHandler['call'];
  }
}

/** Measures what a method does at once; guards and the like are found by the metadata it keeps. */
function watch(callback: Method, took: (ms: number) => void): Method {
  const watched = function (this: unknown, ...args: unknown[]): unknown {
    const began = performance.now();
    try {
      return callback.apply(this, args);
    } finally {
      took(Math.round(performance.now() - began));
    }
  };
  for (const key of Reflect.getMetadataKeys(callback) as unknown[]) {
    Reflect.defineMetadata(key, Reflect.getMetadata(key, callback), watched);
  }
  return watched;
}
