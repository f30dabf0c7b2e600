/** How a connection ended; `code` is what its client can see. */
export interface Closed {
  readonly code: number;
  readonly reason: string;
}

/** Learns what comes out of a channel. */
export interface ChannelListener {
  frame(frame: unknown): void;
  closed(closed: Closed): void;
}

/** A connection as frames, whatever carries them. */
export interface Channel {
  /** Sends a frame as it is, well formed or not. */
  send(frame: unknown): void;
  /** Ends the connection from this side. */
  close(): void;
}

/** What a connection says before its first frame. */
export interface Opening {
  /** Data of `hello`, by the shorthand of the transport. */
  readonly hello?: Readonly<Record<string, unknown>>;
  /** HTTP headers of the handshake, where there is one. */
  readonly headers?: Readonly<Record<string, string>>;
}
