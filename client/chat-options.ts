import type { CommandInput } from '#src/protocol/commands.js';
import type { Position } from '#src/protocol/models.js';

import type { OpenLink } from './link.js';
import type { ReconnectDelays } from './reconnect-delay.js';
import type { OnRefusedToken, TokenListener, TokenSource } from './token-keeper.js';
import type { MakeSocket, SocketIoOptions } from './transports/socket-io.js';

/** Where to connect, as whom, and how. */
export interface ChatOptions {
  /**
   * Address of the server, such as `https://chat.example.org`, `wss://example.org/team/chat/` or
   * `ws://localhost:3000/ws`.
   *
   * `http` and `ws` mean the same, and so do `https` and `wss`. The client derives the addresses of
   * WebSocket (P-10.2), Socket.IO (P-10.3) and files (P-14.1) from it.
   */
  readonly url: string;
  /**
   * The name of a new guest, the program (P-2.2), and what a bot says of itself (P-13.8).
   *
   * With `bot`, the client delivers events as the server sends them, some of them twice (P-13.9).
   */
  readonly hello?: Pick<CommandInput<'hello'>, 'name' | 'client' | 'bot'>;
  /** The transport; a function opens links of another kind. Default: `websocket`. */
  readonly transport?: 'websocket' | 'socket.io' | OpenLink;
  /**
   * Options of `io()` of the package `socket.io-client`, which the app installs.
   *
   * In a page, pass a function that returns a socket instead, such as `() => io(url)`: bundlers do
   * not include the package by themselves.
   */
  readonly socketIo?: SocketIoOptions | MakeSocket;
  /** A token from earlier, or a function that returns one. Without it, the user is a new guest. */
  readonly token?: string | TokenSource;
  /** Called with each token that the server issues; store it for the next start (P-2.7). */
  readonly onToken?: TokenListener;
  /**
   * The action when the token is refused and `token` returns no other: `stop` ends the client with
   * `token_refused`, `new-guest` connects as a new guest. Default: `stop`.
   */
  readonly refusedToken?: OnRefusedToken;
  /** Positions to resume from, as an earlier client had them in `positions` (P-5.12). */
  readonly positions?: Readonly<Record<string, Position>>;
  /** Maximum time in milliseconds from an attempt to connect to the welcome. Default: 15000. */
  readonly connectTimeoutMs?: number;
  /**
   * Maximum time in milliseconds that a command waits for its reply, and `ready()` for a session;
   * then they fail with `timeout`. `Infinity` sets no limit. Default: 30000, long enough for at
   * least one attempt to reconnect.
   */
  readonly timeoutMs?: number;
  /** Delays before reconnecting, where the server names none. */
  readonly reconnectDelays?: Partial<ReconnectDelays>;
}

/** Options of a single call. */
export interface CallOptions {
  /** Maximum time in milliseconds to wait for the reply, instead of that of {@link ChatOptions}. */
  readonly timeoutMs?: number;
}
