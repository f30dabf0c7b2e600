import {
  applyDecorators,
  createParamDecorator,
  SetMetadata,
  type ExecutionContext,
} from '@nestjs/common';
import { MESSAGE_METADATA } from '@nestjs/websockets/internal.js';
import type { z } from 'zod';

/** The options of a command. */
export interface CommandTraits {
  /** Set if the next command may start once this one is in the queue of the writer (P-3.4). */
  readonly write?: true;
  /** Bucket of the user that is charged, besides that of the connection (P-9.10). */
  readonly bucket?: 'messages';
  /** Bucket of the user that is charged if the user is a bot. */
  readonly botBucket?: 'messages';
  /** Schema of the data, for commands of the app; commands of the protocol have their own. */
  readonly data?: z.ZodType;
  /**
   * Set if the reply may be large: the read budgets are charged for its bytes (P-9.10).
   *
   * A page waits for its turn before it is sent; a cut waits before the connection is attached.
   */
  readonly reads?: 'page' | 'cut';
}

/** Metadata key of {@link CommandTraits}. */
export const COMMAND_TRAITS = 'parlance:command';

/**
 * Marks a method of a gateway as the handler of a command, of the protocol or of the app.
 *
 * `@SubscribeMessage` works too, but Nest logs a line for each of those.
 */
export function Command(name: string, traits: CommandTraits = {}): MethodDecorator {
  return applyDecorators(SetMetadata(MESSAGE_METADATA, name), SetMetadata(COMMAND_TRAITS, traits));
}

/** Injects the {@link Call} into a parameter: the caller and the connection. */
export const CurrentCall = createParamDecorator((_data: unknown, context: ExecutionContext) =>
  context.getArgByIndex<unknown>(2),
);
