import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { EXCEPTION_FILTERS_METADATA } from '@nestjs/common/internal.js';
import { DiscoveryService, ExternalContextCreator, MetadataScanner, Reflector } from '@nestjs/core';
import type { ParamsFactory } from '@nestjs/core/helpers/external-context-creator.js';
import { WsParamsFactory } from '@nestjs/websockets/factories/ws-params-factory.js';
import { MESSAGE_METADATA, PARAM_ARGS_METADATA } from '@nestjs/websockets/internal.js';
import { z } from 'zod';

import { COMMANDS } from '../protocol/commands.js';
import type { Call } from './call.js';
import { COMMAND_TRAITS, type CommandTraits } from './command.decorator.js';
import type { Connection } from './connection.js';

/** A handler with the guards, pipes, interceptors and filters that Nest puts around it. */
export type Handler = (connection: Connection, data: unknown, call: Call) => Promise<unknown>;

/** What is known of a command before it runs. */
export interface CommandEntry extends CommandTraits {
  readonly name: string;
  readonly handle: Handler;
  /** Schema of its data; absent for commands of gateways that are not ours. */
  readonly schema: z.ZodType | undefined;
}

type Method = (...args: unknown[]) => unknown;

/**
 * Every command that some gateway handles, by name.
 *
 * Nest would bind each handler to each connection, which costs 1.8 KiB a connection; here each
 * is wrapped once, and given the connection when it is called.
 */
@Injectable()
export class CommandTable implements OnModuleInit {
  private readonly entries = new Map<string, CommandEntry>();

  constructor(
    @Inject(DiscoveryService) private readonly discovery: DiscoveryService,
    @Inject(MetadataScanner) private readonly scanner: MetadataScanner,
    @Inject(Reflector) private readonly reflector: Reflector,
    @Inject(ExternalContextCreator) private readonly contexts: ExternalContextCreator,
  ) {}

  onModuleInit(): void {
    const providers: readonly { readonly instance: unknown }[] = this.discovery.getProviders();
    for (const { instance } of providers) {
      if (typeof instance === 'object' && instance !== null) this.addHandlersOf(instance);
    }
  }

  /** Finds a command. */
  find(name: string): CommandEntry | undefined {
    return this.entries.get(name);
  }

  /** Tells whether a command lets the next one start before it is done (P-3.4). */
  isWrite(name: string): boolean {
    return this.entries.get(name)?.write === true;
  }

  private addHandlersOf(instance: object): void {
    const prototype = Object.getPrototypeOf(instance) as Record<string, Method> | null;
    if (prototype === null) return;
    for (const method of this.scanner.getAllMethodNames(prototype)) {
      const callback = prototype[method];
      if (callback === undefined) continue;
      const name: unknown = Reflect.getMetadata(MESSAGE_METADATA, callback);
      if (typeof name === 'string') this.add(name, instance, method, callback);
    }
  }

  private add(name: string, instance: object, method: string, callback: Method): void {
    const traits = this.reflector.get<CommandTraits | undefined>(COMMAND_TRAITS, callback);
    const handle = this.contexts.create(
      instance,
      callback,
      method,
      PARAM_ARGS_METADATA,
      new WsParamsFactory() as ParamsFactory,
      undefined,
      undefined,
      { guards: true, interceptors: true, filters: hasFilters(instance, callback) },
      'ws',
    ) as Handler;
    const schema = traits === undefined ? undefined : schemaOf(name);
    this.entries.set(name, { ...traits, name, handle, schema });
  }
}

/** Without filters of its own, what a handler throws goes to the dispatcher as it is. */
function hasFilters(instance: object, callback: Method): boolean {
  return [instance.constructor, callback].some((target) =>
    Reflect.hasMetadata(EXCEPTION_FILTERS_METADATA, target),
  );
}

function schemaOf(name: string): z.ZodType | undefined {
  const { data } = COMMANDS[name as keyof typeof COMMANDS];
  return z.compile(data);
}
