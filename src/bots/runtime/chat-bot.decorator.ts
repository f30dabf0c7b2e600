import {
  applyDecorators,
  createParamDecorator,
  Injectable,
  SetMetadata,
  type ExecutionContext,
} from '@nestjs/common';

import type { BotOptions, HandlerOptions, TextPattern } from './bot-manifest.js';

/** Metadata key of the {@link BotOptions} of a class. */
export const BOT_OPTIONS = 'parlance:bot';
/** Metadata key of the {@link HandlerOptions} of a method. */
export const HANDLER_OPTIONS = 'parlance:bot-handler';

type CommandOptions = Omit<Extract<HandlerOptions, { on: 'command' }>, 'on' | 'name'>;
type HearsOptions = Omit<Extract<HandlerOptions, { on: 'text' }>, 'on' | 'pattern'>;
type RoomEventOptions = Omit<Extract<HandlerOptions, { on: 'event' }>, 'on' | 'event'>;
type RoomEventName = Extract<HandlerOptions, { on: 'event' }>['event'];

/** Makes a class a bot, under a name that nobody else may bear (P-13.1). */
export function ChatBot(options: BotOptions): ClassDecorator {
  return applyDecorators(Injectable(), SetMetadata(BOT_OPTIONS, options));
}

/** Has a method answer `/name` and `@bot name` (P-13.2). */
export function OnCommand(name: string, options: CommandOptions): MethodDecorator {
  return SetMetadata(HANDLER_OPTIONS, { ...options, on: 'command', name });
}

/** Has a method answer texts that fit a pattern: addressed ones, unless `when` is `all`. */
export function Hears(pattern: TextPattern, options: HearsOptions = {}): MethodDecorator {
  return SetMetadata(HANDLER_OPTIONS, { ...options, on: 'text', pattern });
}

/** Has a method called for an event of the log of a room (P-5.8). */
export function OnRoom(event: RoomEventName, options: RoomEventOptions = {}): MethodDecorator {
  return SetMetadata(HANDLER_OPTIONS, { ...options, on: 'event', event });
}

/** Has a method called when an alarm that the bot set is due; `@Args()` gives the alarm. */
export function OnAlarm(): MethodDecorator {
  return SetMetadata(HANDLER_OPTIONS, { on: 'alarm' });
}

/** Has a method answer what is addressed to the bot and fits nothing else. */
export function Fallback(): MethodDecorator {
  return SetMetadata(HANDLER_OPTIONS, { on: 'fallback' });
}

/** Gives a handler its `BotContext`. */
export const Ctx = createParamDecorator((_data: unknown, context: ExecutionContext) =>
  context.getArgByIndex<unknown>(0),
);

/** Gives a handler of a command its arguments, as its schema made them; one of alarms its alarm. */
export const Args = createParamDecorator((_data: unknown, context: ExecutionContext) =>
  context.getArgByIndex<unknown>(1),
);
