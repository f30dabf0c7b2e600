import type { CommandInput, CommandName, ReplyData } from '#src/protocol/commands.js';
import type { RoomCut } from '#src/protocol/models.js';

/** Commands that an app sends; hello and the refreshing of tokens are the client's own work. */
export type CallName = Exclude<CommandName, 'hello' | 'auth.refresh'>;

/** Data of a command; from positions the client syncs by itself. */
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

/** What follows the name of a command: its data, which may be left out where it may be empty. */
export type CallArguments<C extends CallName> =
  MayBeEmpty<C> extends true ? [data?: CallData<C>] : [data: CallData<C>];
