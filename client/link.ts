import type { CommandFrame, EventFrame, ReplyFrame } from '#src/protocol/frames.js';

import type { ConnectionError } from './connection-error.js';

/** A frame that the server sent (P-3.1). */
export type ServerFrame = ReplyFrame | EventFrame;

/** Callbacks of a link: `opened`, then `frame` for each frame, and `closed` at the end. */
export interface LinkListener {
  /** Frames can be sent from now on. */
  opened(): void;
  /** A frame arrived; frames arrive in the order in which the server sent them. */
  frame(frame: ServerFrame): void;
  /**
   * The connection has ended, or could not be opened; 1006 stands for an unknown code.
   *
   * `error` says why it could not be opened, if the transport knows.
   */
  closed(code: number, reason: string, error?: ConnectionError): void;
}

/** A connection that carries frames, over any transport (P-10.1). */
export interface Link {
  /** Sends a command frame; does nothing after the connection has ended. */
  send(frame: CommandFrame): void;
  /** Closes the connection; a second call does not wait for the other side. */
  close(): void;
}

/**
 * Opens a connection to the server; this is the interface of a transport.
 *
 * If it cannot connect, it calls `closed`, and the client tries again. If it throws, the client
 * stops: another attempt would not help.
 */
export type OpenLink = (listener: LinkListener) => Link | Promise<Link>;
