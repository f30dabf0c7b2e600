import type { Intake } from '../chat/ports/dialect-port.js';
import type { IncomingCommand, Sink } from '../chat/connections/transport.js';
import { COMMANDS } from '../protocol/commands.js';
import type { Outcome } from '../protocol/frames.js';
import type { ClientEvent, Dialect } from './dialect.js';
import type { DialectSession } from './dialect-session.js';

/** Callbacks of a {@link DialectDetector}. */
export interface DetectionHandler {
  /** Returns the dialect that an event belongs to. */
  findDialect(event: ClientEvent): Dialect | undefined;
  /** Called when the connection declares a dialect. */
  onDialect(dialect: Dialect): DialectSession;
  /** Called when the connection turns out to speak the protocol. */
  onProtocol(): void;
  /** Called when the connection sends something that neither the protocol nor a dialect knows. */
  onUnknown(): void;
  /** Called when the connection sent no command of the protocol within the silence period. */
  onSilence(): void;
  /** Called when the connection is closed. */
  onClose(): void;
}

/** Decides by the first event of a connection whether it speaks a dialect (P-10.7). */
export class DialectDetector implements Sink {
  private session: DialectSession | null = null;
  private speaksProtocol = false;
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly intake: Intake,
    private readonly handler: DetectionHandler,
    silenceMs: number,
  ) {
    this.timer = setTimeout(() => this.handler.onSilence(), silenceMs);
  }

  heard(bytes: number): void {
    this.intake.heard(bytes);
  }

  command(command: IncomingCommand): void {
    if (!this.speaksProtocol && this.session === null) this.detect(command);
    if (this.session === null) this.intake.command(command);
    else this.session.enqueueEvent({ event: command.name, data: command.data }, command.reply);
  }

  malformed(why: string, reply?: (outcome: Outcome) => void): void {
    this.endDetection();
    this.intake.malformed(why, reply);
  }

  silent(): void {
    this.intake.silent();
  }

  closed(code: number, reason: string): void {
    clearTimeout(this.timer);
    this.intake.closed(code, reason);
    this.session?.stop();
    this.handler.onClose();
  }

  private detect({ name, data }: IncomingCommand): void {
    const dialect = this.handler.findDialect({ event: name, data });
    if (dialect !== undefined) {
      this.session = this.handler.onDialect(dialect);
      return;
    }
    if (!Object.hasOwn(COMMANDS, name)) {
      this.endDetection();
      return;
    }
    clearTimeout(this.timer);
    this.speaksProtocol = true;
    this.handler.onProtocol();
  }

  private endDetection(): void {
    clearTimeout(this.timer);
    this.handler.onUnknown();
  }
}
