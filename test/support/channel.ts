/** The end of a connection; `code` is the close code as the client sees it. */
export interface Closed {
  readonly code: number;
  readonly reason: string;
}

/** Receives the frames of a channel and its end. */
export interface ChannelListener {
  frame(frame: unknown): void;
  closed(closed: Closed): void;
}

/** A connection that carries frames, over any transport. */
export interface Channel {
  /** Sends a frame unchanged, also if it is malformed. */
  send(frame: unknown): void;
  /** Ends the connection from this side. */
  close(): void;
}

/** Data that a connection sends before its first frame. */
export interface Opening {
  /** Data of `hello`, sent with the shorthand of the transport (P-2.10). */
  readonly hello?: Readonly<Record<string, unknown>>;
  /** HTTP headers of the handshake, if the transport has one. */
  readonly headers?: Readonly<Record<string, string>>;
}
