import type { Type } from '@nestjs/common';
import type { z } from 'zod';

import type { Message, User } from '../../protocol/models.js';
import type { BotAlarm } from './bot-alarms.js';
import type { BotContext } from './bot-context.js';
import type { BotOptions, RoomEventName } from './bot-definition.js';
import type { BotReply } from './bot-reply.js';
import { ChatBot, Fallback, Hears, OnAlarm, OnCommand, OnRoom } from './chat-bot.decorator.js';

type Answer = BotReply | Promise<unknown>;
type Run = (bot: BotContext) => Answer;

/** The context of a handler that is called for a message. */
type MessageContext = BotContext & { readonly message: Message; readonly author: User };

/** The definition of a bot as an object, for plain JavaScript. */
export interface ChatBotSpec<Arguments> extends BotOptions {
  /** By name; `run` receives the context and the arguments, or the text if there is no schema. */
  readonly commands?: {
    readonly [Name in keyof Arguments]: {
      readonly help: string;
      readonly args?: z.ZodType<Arguments[Name]>;
      readonly fromBots?: boolean;
      readonly run: (bot: MessageContext, args: Arguments[Name]) => Answer;
    };
  };
  /** The first pattern that matches is used. */
  readonly hears?: readonly {
    readonly pattern: RegExp;
    readonly when?: 'addressed' | 'all';
    readonly fromBots?: boolean;
    readonly run: (bot: MessageContext & { readonly matches: RegExpExecArray }) => Answer;
  }[];
  /** By event name. */
  readonly on?: { readonly [Event in RoomEventName]?: Run };
  /** Called when an alarm of the bot is due. */
  readonly alarm?: (bot: BotContext, alarm: BotAlarm<never>) => Answer;
  /** Called for addressed messages that no other handler matches. */
  readonly fallback?: (bot: MessageContext) => Answer;
}

type Handler = (bot: never, args: never) => unknown;
type Command = Parameters<typeof OnCommand>[1] & { readonly run: Handler };

/** Defines a bot without decorators, which Node.js does not support; returns a bot class. */
export function defineChatBot<Arguments>(spec: ChatBotSpec<Arguments>): Type {
  const { commands, hears = [], on = {}, alarm, fallback, ...options } = spec;
  const bot = class {
    readonly botName = options.name;
  };
  Object.defineProperty(bot, 'name', { value: options.name });
  for (const [name, { run, ...command }] of Object.entries<Command>(commands ?? {})) {
    add(bot, `/${name}`, run, OnCommand(name, command));
  }
  for (const [index, { pattern, run, ...more }] of hears.entries()) {
    add(bot, `hears ${String(index + 1)}`, run, Hears(pattern, more));
  }
  for (const [event, run] of Object.entries(on)) {
    add(bot, `on ${event}`, run, OnRoom(event as RoomEventName));
  }
  if (alarm !== undefined) add(bot, 'alarm', alarm, OnAlarm());
  if (fallback !== undefined) add(bot, 'fallback', fallback, Fallback());
  ChatBot(options)(bot);
  return bot;
}

/** Adds a handler; reports and faults use the method name. */
function add(bot: Type, name: string, run: Handler, decorate: MethodDecorator): void {
  const prototype = bot.prototype as object;
  // Wrapped in its own method, because the same function may serve as several handlers.
  const value = (context: never, args: never): unknown => run(context, args);
  const descriptor = { value, configurable: true, writable: true };
  Object.defineProperty(prototype, name, descriptor);
  decorate(prototype, name, descriptor);
}
