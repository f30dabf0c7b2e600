import { Injectable, type OnModuleInit } from '@nestjs/common';
import { EXCEPTION_FILTERS_METADATA } from '@nestjs/common/internal.js';
import {
  DiscoveryService,
  ExternalContextCreator,
  MetadataScanner,
  ModulesContainer,
  Reflector,
} from '@nestjs/core';
import type { ParamsFactory } from '@nestjs/core/helpers/external-context-creator.js';
import { WsParamsFactory } from '@nestjs/websockets/factories/ws-params-factory.js';
import { MESSAGE_METADATA, PARAM_ARGS_METADATA } from '@nestjs/websockets/internal.js';
import { z } from 'zod';

import { COMMANDS, type CommandName } from '../../protocol/commands.js';
import type { Call } from '../connections/call.js';
import { COMMAND_TRAITS, type CommandTraits } from './command.decorator.js';
import type { Connection } from '../connections/connection.js';
import { localContexts } from './local-contexts.js';

/** A handler with its guards, pipes, interceptors and filters of Nest. */
export type Handler = (connection: Connection, data: unknown, call: Call) => Promise<unknown>;

/** A command and its handler. */
export interface CommandEntry extends CommandTraits {
  readonly name: string;
  readonly handle: Handler;
  /** Schema of the data; undefined for a command of the app without one. */
  readonly schema: z.ZodType | undefined;
}

type Method = (...args: unknown[]) => unknown;

/**
 * The commands of all gateways, by name.
 *
 * Nest would bind each handler to each connection, which costs 1.8 KiB per connection. Here each
 * handler is wrapped once and gets the connection as an argument.
 */
@Injectable()
export class CommandTable implements OnModuleInit {
  private readonly entries = new Map<string, CommandEntry>();
  /** Names of the handling methods, for the error about a second handler. */
  private readonly handlers = new Map<string, string>();
  private readonly local: ExternalContextCreator;

  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly reflector: Reflector,
    private readonly contexts: ExternalContextCreator,
    modules: ModulesContainer,
  ) {
    this.local = localContexts(modules);
  }

  /**
   * Finds the handlers among the providers of the app.
   *
   * @throws Error if two methods handle the same command
   */
  onModuleInit(): void {
    const providers: readonly { readonly instance: unknown }[] = this.discovery.getProviders();
    // A provider may be registered under several tokens.
    for (const instance of new Set(providers.map((provider) => provider.instance))) {
      if (typeof instance === 'object' && instance !== null) this.addHandlersOf(instance);
    }
  }

  /** Finds a command. */
  find(name: string): CommandEntry | undefined {
    return this.entries.get(name);
  }

  /** Returns whether the next command may start before this one is done (P-3.4). */
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
    this.requireUnhandled(name, `${instance.constructor.name}.${method}`);
    const traits = this.reflector.get<CommandTraits | undefined>(COMMAND_TRAITS, callback);
    const contexts = isOfProtocol(name) ? this.local : this.contexts;
    const handle = contexts.create(
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
    const schema = isOfProtocol(name) ? compiledSchema(name) : traits?.data;
    this.entries.set(name, { ...traits, name, handle, schema });
  }

  private requireUnhandled(name: string, handler: string): void {
    const other = this.handlers.get(name);
    if (other !== undefined) {
      throw new Error(`The command ${name} has two handlers: ${other} and ${handler}.`);
    }
    this.handlers.set(name, handler);
  }
}

/** Schemas that are compiled already; all servers of a process share them. */
const compiled = new Map<CommandName, z.ZodType>();

function compiledSchema(name: CommandName): z.ZodType {
  const schema = compiled.get(name) ?? z.compile(COMMANDS[name].data);
  compiled.set(name, schema);
  return schema;
}

function isOfProtocol(name: string): name is CommandName {
  return Object.hasOwn(COMMANDS, name);
}

/** Returns whether a handler has filters; without any, the dispatcher gets its errors unchanged. */
function hasFilters(instance: object, callback: Method): boolean {
  return [instance.constructor, callback].some((target) =>
    Reflect.hasMetadata(EXCEPTION_FILTERS_METADATA, target),
  );
}
