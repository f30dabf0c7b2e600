import type { Type } from '@nestjs/common';
import type { z } from 'zod';

import type { Message, User } from '../../protocol/models.js';
import type { BotAlarm } from './bot-alarms.js';
import type { BotContext } from './bot-context.js';
import type { BotOptions, RoomEventName } from './bot-manifest.js';
import type { BotReply } from './bot-reply.js';
import { ChatBot, Fallback, Hears, OnAlarm, OnCommand, OnRoom } from './chat-bot.decorator.js';

type Answer = BotReply | Promise<unknown>;
type Run = (bot: BotContext) => Answer;

/** The context of a handler that is called for a message. */
type Answering = BotContext & { readonly message: Message; readonly author: User };

/** A bot as an object, for plain JavaScript. */
export interface ChatBotSpec<Arguments> extends BotOptions {
  /** By name; `run` is given the context and the arguments, or the text without a schema. */
  readonly commands?: {
    readonly [Name in keyof Arguments]: {
      readonly help: string;
      readonly args?: z.ZodType<Arguments[Name]>;
      readonly fromBots?: boolean;
      readonly run: (bot: Answering, args: Arguments[Name]) => Answer;
    };
  };
  /** The first pattern that fits counts. */
  readonly hears?: readonly {
    readonly pattern: RegExp;
    readonly when?: 'addressed' | 'all';
    readonly fromBots?: boolean;
    readonly run: (bot: Answering & { readonly matches: RegExpExecArray }) => Answer;
  }[];
  /** By name of the event. */
  readonly on?: { readonly [Event in RoomEventName]?: Run };
  /** Called when an alarm that the bot set is due. */
  readonly alarm?: (bot: BotContext, alarm: BotAlarm<never>) => Answer;
  /** Called for what is addressed to the bot and fits nothing else. */
  readonly fallback?: (bot: Answering) => Answer;
}

type Handler = (bot: never, args: never) => unknown;
type Command = Parameters<typeof OnCommand>[1] & { readonly run: Handler };

/** Makes a bot without decorators, which Node.js does not know; gives the same as a class. */
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

/** The name of the method is that by which reports and faults tell of the handler. */
function add(bot: Type, name: string, run: Handler, decorate: MethodDecorator): void {
  const prototype = bot.prototype as object;
  // A method of its own: the same function may serve as several handlers.
  const value = (context: never, args: never): unknown => run(context, args);
  const descriptor = { value, configurable: true, writable: true };
  Object.defineProperty(prototype, name, descriptor);
  decorate(prototype, name, descriptor);
}
