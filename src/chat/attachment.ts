import type { Connection } from './connection.js';
import type { Prepared } from './transport.js';

/** A connection that receives the events of a room (P-5.3). */
export class Attachment {
  /** Events that wait for the reply that they must follow; null when none need to (P-3.7). */
  private held: { readonly prepared: Prepared; readonly seq: number }[] | null = [];

  constructor(readonly connection: Connection) {}

  /** Sends an event, now or after the reply; `seq` is its position, where that matters. */
  deliver(prepared: Prepared, seq = 0): void {
    if (this.held === null) this.connection.push(prepared);
    else this.held.push({ prepared, seq });
  }

  /** Holds events back until {@link release}. */
  hold(): void {
    this.held ??= [];
  }

  /** Puts missed events, up to a position, before those that are held after it. */
  precede(missed: readonly Prepared[], upTo: number): void {
    const later = (this.held ?? []).filter(({ seq }) => seq > upTo);
    this.held = [...missed.map((prepared) => ({ prepared, seq: 0 })), ...later];
  }

  /** Lets the held events go, in their order. */
  release(): void {
    const held = this.held ?? [];
    this.held = null;
    for (const { prepared } of held) this.connection.push(prepared);
  }
}
