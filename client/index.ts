export type {
  Attachment,
  Member,
  Message,
  Position,
  Room,
  RoomCut,
  User,
} from '#src/protocol/models.js';
export type { Welcome } from '#src/protocol/welcome.js';

export { ChatError } from './chat-error.js';
export type { CallArguments, CallData, CallName, CallReply } from './call-types.js';
export { Chat } from './chat.js';
export type { ChatEvents, Gap, RoomEvent, RoomEventName, Status } from './chat-events.js';
export type { CallOptions, ChatOptions } from './chat-options.js';
export { CommandError } from './command-error.js';
export { connect } from './connect.js';
export { ConnectionError, type ConnectionErrorCode } from './connection-error.js';
export type { FileBytes } from './file-transfer.js';
export type { Link, LinkListener, OpenLink, ServerFrame } from './link.js';
export type { OutgoingMessage, SentMessage } from './outbox.js';
export type { ReconnectDelays } from './reconnect-delay.js';
export { RoomState, type Applied, type RoomStateListener } from './room-state.js';
export type { OnRefusedToken, TokenListener, TokenSource } from './token-keeper.js';
export type { MakeSocket, SocketIoOptions, SocketIoSocket } from './transports/socket-io.js';
