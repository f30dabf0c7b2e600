import type { CommandInput, CommandName, ReplyData } from '#src/protocol/commands.js';
import type { RoomCut } from '#src/protocol/models.js';

import type { CallOptions } from './chat-options.js';

/** Commands that an app can send; the client sends hello and refreshes tokens by itself. */
export type CallName = Exclude<CommandName, 'hello' | 'auth.refresh'>;

/** Data of a command. `room.sync` has no position: the client requests missed events by itself. */
export type CallData<C extends CallName> = C extends 'room.sync'
  ? { readonly room: string }
  : CommandInput<C>;

/** Data of the reply to a command. */
export type CallReply<C extends CallName> = C extends 'room.sync' ? RoomCut : ReplyData<C>;

/** Whether the data of a command may be left out. */
type MayBeEmpty<C extends CallName> =
  CallData<C> extends Record<string, never>
    ? true
    : Partial<CallData<C>> extends CallData<C>
      ? true
      : false;

/** The arguments after the name of a command; its data is optional where it may be empty. */
export type CallArguments<C extends CallName> =
  MayBeEmpty<C> extends true
    ? [data?: CallData<C>, options?: CallOptions]
    : [data: CallData<C>, options?: CallOptions];
