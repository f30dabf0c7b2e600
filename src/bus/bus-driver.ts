/** Reports of a connection to its owner. */
export interface SessionEvents {
  /** Reports a frame; the bytes are valid only during the call. */
  message(subject: string, bytes: Uint8Array): void;
  /** Reports the end of the connection; only the first report counts. */
  lost(reason: Error): void;
}

/** One connection to the service behind a bus; it does not reconnect by itself. */
export interface BusSession {
  /** Maximum number of bytes of a frame. */
  readonly maxBytes: number;
  /** Sends a frame, and returns false if it was dropped. */
  publish(subject: string, bytes: Uint8Array): boolean;
  /** Resolves when the service has confirmed all of these subscriptions. */
  subscribe(subjects: readonly string[]): Promise<void>;
  /** Ends a subscription. */
  unsubscribe(subject: string): void;
  /** Sends what was published, and disconnects. */
  close(): Promise<void>;
  /** Disconnects at once, even if the service does not answer. */
  abort(): void;
}

/** Opens connections to one kind of service. */
export interface BusDriver {
  /** Address of the service for the operator, without credentials. */
  readonly address: string;
  /** Texts that must not appear in the log. */
  readonly secrets: readonly string[];
  /** Whether frames may contain events; if not, only the heads of logs. */
  readonly carriesEvents: boolean;
  /** Opens a connection, or throws within {@link OPEN_MS}. */
  open(events: SessionEvents): Promise<BusSession>;
}

/** Time limit to open a connection, in milliseconds. */
export const OPEN_MS = 2_000;
/** Time limit to send what was published before a disconnection, in milliseconds. */
export const CLOSE_MS = 500;
/** Maximum number of bytes of a frame on a service without a smaller limit. */
export const MAX_FRAME_BYTES = 512 * 1_024;
