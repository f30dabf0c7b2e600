import {
  applyDecorators,
  createParamDecorator,
  Injectable,
  SetMetadata,
  type ExecutionContext,
} from '@nestjs/common';

import type { BotOptions, HandlerOptions, TextPattern } from './bot-definition.js';

/** Metadata key of the {@link BotOptions} of a class. */
export const BOT_OPTIONS = 'parlance:bot';
/** Metadata key of the {@link HandlerOptions} of a method. */
export const HANDLER_OPTIONS = 'parlance:bot-handler';

type CommandOptions = Omit<Extract<HandlerOptions, { on: 'command' }>, 'on' | 'name'>;
type HearsOptions = Omit<Extract<HandlerOptions, { on: 'text' }>, 'on' | 'pattern'>;
type RoomEventOptions = Omit<Extract<HandlerOptions, { on: 'event' }>, 'on' | 'event'>;
type RoomEventName = Extract<HandlerOptions, { on: 'event' }>['event'];

/** Declares a class as a bot; its name is reserved (P-13.1). */
export function ChatBot(options: BotOptions): ClassDecorator {
  return applyDecorators(Injectable(), SetMetadata(BOT_OPTIONS, options));
}

/** Calls a method for `/name` and `@bot name` (P-13.2). */
export function OnCommand(name: string, options: CommandOptions): MethodDecorator {
  return SetMetadata(HANDLER_OPTIONS, { ...options, on: 'command', name });
}

/** Calls a method for addressed texts that match a pattern; for all texts if `when` is `all`. */
export function Hears(pattern: TextPattern, options: HearsOptions = {}): MethodDecorator {
  return SetMetadata(HANDLER_OPTIONS, { ...options, on: 'text', pattern });
}

/** Calls a method for an event of the log of a room (P-5.8). */
export function OnRoom(event: RoomEventName, options: RoomEventOptions = {}): MethodDecorator {
  return SetMetadata(HANDLER_OPTIONS, { ...options, on: 'event', event });
}

/** Calls a method when an alarm of the bot is due; `@Args()` injects the alarm. */
export function OnAlarm(): MethodDecorator {
  return SetMetadata(HANDLER_OPTIONS, { on: 'alarm' });
}

/** Calls a method for addressed messages that no other handler matches. */
export function Fallback(): MethodDecorator {
  return SetMetadata(HANDLER_OPTIONS, { on: 'fallback' });
}

/** Injects the `BotContext` into a handler. */
export const Ctx = createParamDecorator((_data: unknown, context: ExecutionContext) =>
  context.getArgByIndex<unknown>(0),
);

/** Injects the parsed arguments of a command, or the alarm, into a handler. */
export const Args = createParamDecorator((_data: unknown, context: ExecutionContext) =>
  context.getArgByIndex<unknown>(1),
);
