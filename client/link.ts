import type { CommandFrame, EventFrame, ReplyFrame } from '#src/protocol/frames.js';

/** A frame that the server sent (P-3.1). */
export type ServerFrame = ReplyFrame | EventFrame;

/** Is told what happens on a link: `opened`, then frames, and `closed` at last. */
export interface LinkListener {
  /** Frames can be sent from now on. */
  opened(): void;
  /** A frame came; frames come in the order in which the server sent them. */
  frame(frame: ServerFrame): void;
  /** The connection is gone, or could not be made; 1006 stands for a code that is not known. */
  closed(code: number, reason: string): void;
}

/** One connection as frames, whatever carries them (P-10.1). */
export interface Link {
  /** Sends a command frame; does nothing once the connection is gone. */
  send(frame: CommandFrame): void;
  /** Ends the connection from this side; called again, without waiting for the other side. */
  close(): void;
}

/**
 * Opens a connection to the server; a transport, as the client sees it.
 *
 * Failing to connect is told by `closed`, and the client tries again. An error that is thrown says
 * that trying again is of no use, and stops the client.
 */
export type OpenLink = (listener: LinkListener) => Link | Promise<Link>;
