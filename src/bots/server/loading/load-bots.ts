import type { Type } from '@nestjs/common';

import { BotSetupError, type HandlerOptions } from '../../kit/bot-definition.js';
import { BOT_OPTIONS, HANDLER_OPTIONS } from '../../kit/chat-bot.decorator.js';
import { importFiles } from '../../../config/import-files.js';
import { LinearPattern } from './linear-pattern.js';

type Method = (...args: unknown[]) => unknown;

/**
 * Loads the bots from the files that match the patterns, relative to a folder.
 *
 * Their text patterns are matched in linear time, because they were not reviewed.
 *
 * @throws BotSetupError that names the invalid file or pattern
 */
export async function loadBots(patterns: readonly string[], folder: string): Promise<Type[]> {
  const bots = new Set<Type>();
  const files = importFiles('PARLANCE_BOTS', patterns, folder, BotSetupError);
  for await (const { file, exports } of files) {
    const found = exports.filter(isBot);
    if (found.length === 0) {
      throw new BotSetupError(
        `The file ${file} exports no bot: export the result of defineChatBot({ … }).`,
      );
    }
    for (const bot of found) {
      useLinearPatterns(bot, file);
      bots.add(bot);
    }
  }
  return [...bots];
}

function isBot(value: unknown): value is Type {
  return typeof value === 'function' && Reflect.hasMetadata(BOT_OPTIONS, value);
}

function useLinearPatterns(bot: Type, file: string): void {
  const own = bot.prototype as object;
  for (const [name, method] of methodsOf(own)) {
    const options = Reflect.getMetadata(HANDLER_OPTIONS, method) as HandlerOptions | undefined;
    if (options?.on !== 'text' || !(options.pattern instanceof RegExp)) continue;
    const pattern = toLinear(options.pattern, `The handler ${name} in ${file}`);
    const value = copyOf(method);
    Reflect.defineMetadata(HANDLER_OPTIONS, { ...options, pattern }, value);
    Object.defineProperty(own, name, { value, configurable: true, writable: true });
  }
}

/** Returns the methods of a class by name, including inherited ones. */
function methodsOf(prototype: object): Map<string, Method> {
  const parent = Object.getPrototypeOf(prototype) as object | null;
  const methods = parent === null ? new Map<string, Method>() : methodsOf(parent);
  for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
    if (typeof value === 'function') methods.set(name, value as Method);
    else methods.delete(name);
  }
  return methods;
}

/** Copies a method with its metadata, such as guards; other classes may inherit the original. */
function copyOf(method: Method): Method {
  const copy = function (this: unknown, ...args: unknown[]): unknown {
    return method.apply(this, args);
  };
  for (const key of Reflect.getMetadataKeys(method) as unknown[]) {
    Reflect.defineMetadata(key, Reflect.getMetadata(key, method), copy);
  }
  return copy;
}

function toLinear(pattern: RegExp, where: string): LinearPattern {
  if (pattern.global || pattern.sticky) {
    throw new BotSetupError(`${where} has a pattern with the flag g or y: remove the flag.`);
  }
  try {
    return new LinearPattern(pattern);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new BotSetupError(
      `${where} has the pattern ${String(pattern)}, which may be slow for some texts ` +
        `(${why}): write it without (?=, (?!, (?<=, (?<!, \\1 and the like.`,
    );
  }
}
