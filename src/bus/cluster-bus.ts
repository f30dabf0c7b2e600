/** Whether a bus currently carries frames, with all subscriptions confirmed. */
export type BusState = 'connected' | 'away';

/** Handler of the frames on one subject. The bytes are valid only during the call. */
export type BusHandler = (bytes: Uint8Array) => void;

/**
 * A way to send frames to the other nodes of a cluster.
 *
 * Every bus is lossy: it may drop, double, delay and reorder frames. Nothing that a client was
 * promised may depend on it. A node also hears its own frames.
 */
export interface ClusterBus {
  readonly state: BusState;
  /** Maximum number of bytes of a frame; 0 while the bus is away. */
  readonly maxBytes: number;
  /** Whether frames may contain events; if not, only the heads of logs. */
  readonly carriesEvents: boolean;
  /** Number of connections that were lost. */
  readonly losses: number;
  /** Registers a listener for each change of {@link state}. */
  onState(listener: (state: BusState) => void): void;
  /** Sends a frame, and returns false if it was dropped; never throws, waits or queues for later. */
  publish(subject: string, bytes: Uint8Array): boolean;
  /**
   * Receives the frames on a subject, also after each reconnection.
   *
   * Resolves when the service has confirmed the subscription: with true, or with false if the bus
   * was closed before.
   */
  subscribe(subject: string, handler: BusHandler): Promise<boolean>;
  /** Receives nothing more on a subject. */
  unsubscribe(subject: string): void;
  /** Sends what was published, and disconnects. */
  close(): Promise<void>;
}
