import type { CommandInput } from '#src/protocol/commands.js';
import type { Position } from '#src/protocol/models.js';

import type { OpenLink } from './link.js';
import type { ReturnDelays } from './return-delay.js';
import type { TokenListener, TokenSource } from './token-keeper.js';
import type { MakeSocket, SocketIoOptions } from './transports/socket-io.js';

/** Where to connect, as whom, and how. */
export interface ChatOptions {
  /**
   * Address of the server, such as `ws://localhost:3000/ws` or `https://chat.example.org`,
   * without the shorthands of P-2.10.
   *
   * `http` stands for `ws` and `https` for `wss`, and the other way round. For plain WebSocket the
   * path `/` stands for `/ws` (P-10.2); for Socket.IO the path is that of `socketIo` (P-10.3).
   */
  readonly url: string;
  /**
   * The name of a new guest, the program (P-2.2), and what a bot says of itself (P-13.8).
   *
   * With `bot`, events are handed out as the server delivers them, some of them twice (P-13.9).
   */
  readonly hello?: Pick<CommandInput<'hello'>, 'name' | 'client' | 'bot'>;
  /** What carries the frames; a function makes links of another kind. Default: `websocket`. */
  readonly transport?: 'websocket' | 'socket.io' | OpenLink;
  /** Options of `io()`, or a function that makes a socket; needs the package `socket.io-client`. */
  readonly socketIo?: SocketIoOptions | MakeSocket;
  /** A token from earlier, or who gives one; without either the client comes as a new guest. */
  readonly token?: string | TokenSource;
  /** Called with each token that the server issues, to be kept for the next time (P-2.7). */
  readonly onToken?: TokenListener;
  /** Positions from which to go on, as `positions` of the client gave them earlier (P-5.12). */
  readonly positions?: Readonly<Record<string, Position>>;
  /** Milliseconds from an attempt to connect to the welcome. Default: 15000. */
  readonly connectTimeoutMs?: number;
  /** How long to wait before coming back, where the server does not say. */
  readonly returnDelays?: Partial<ReturnDelays>;
}
