import {
  applyDecorators,
  createParamDecorator,
  SetMetadata,
  type ExecutionContext,
} from '@nestjs/common';
import { SubscribeMessage } from '@nestjs/websockets';

import type { CommandName } from '../protocol/commands.js';

/** Preconditions and nature of a command, beside its schema. */
export interface CommandTraits {
  /** Whether the next command may start as soon as this one is in the writer's queue (P-3.4). */
  readonly write?: true;
  /** Bucket of the user that it takes from, beside that of the connection (P-9.10). */
  readonly bucket?: 'messages';
  /** Bucket of the user that it takes from if that is a bot. */
  readonly botBucket?: 'messages';
}

/** Metadata key of {@link CommandTraits}. */
export const COMMAND_TRAITS = 'parlance:command';

/** Makes a method of a gateway the handler of a command of the protocol. */
export function Command(name: CommandName, traits: CommandTraits = {}): MethodDecorator {
  return applyDecorators(SubscribeMessage(name), SetMetadata(COMMAND_TRAITS, traits));
}

/** Gives a handler the {@link Call}: who calls, over which connection. */
export const CurrentCall = createParamDecorator((_data: unknown, context: ExecutionContext) =>
  context.getArgByIndex<unknown>(2),
);
