import type { Connection } from '../chat/connection.js';
import type { IncomingCommand, Sink } from '../chat/transport.js';
import { COMMANDS } from '../protocol/commands.js';
import type { Outcome } from '../protocol/frames.js';
import type { Dialect, ForeignEvent } from './dialect.js';
import type { Interpreter } from './interpreter.js';

/** Milliseconds after which a connection that is nobody yet only listens. */
const SILENCE_MS = 1_000;

/** What a connection that may speak a dialect turns out to be. */
export interface Verdicts {
  /** Finds the dialect whose event this is. */
  findDialect(event: ForeignEvent): Dialect | undefined;
  /** The connection speaks a dialect from now on. */
  declare(dialect: Dialect): Interpreter;
  /** The connection speaks the protocol. */
  greet(): void;
  /** The connection has said nothing for a while, or nothing but events of a dialect. */
  observe(): void;
  /** The connection is gone. */
  closed(): void;
}

/** Reads a connection that may speak a dialect; its first event tells which (P-10.7). */
export class UndeclaredSink implements Sink {
  private interpreter: Interpreter | null = null;
  private isOurs = false;
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly connection: Connection,
    private readonly verdicts: Verdicts,
  ) {
    this.timer = setTimeout(() => this.verdicts.observe(), SILENCE_MS);
  }

  command(command: IncomingCommand): void {
    if (!this.isOurs && this.interpreter === null) this.judge(command);
    if (this.interpreter === null) this.connection.command(command);
    else this.interpreter.take({ event: command.name, data: command.data }, command.reply);
  }

  malformed(why: string, reply?: (outcome: Outcome) => void): void {
    clearTimeout(this.timer);
    this.connection.malformed(why, reply);
  }

  silent(): void {
    this.connection.silent();
  }

  closed(code: number, reason: string): void {
    clearTimeout(this.timer);
    this.connection.closed(code, reason);
    this.interpreter?.stop();
    this.verdicts.closed();
  }

  private judge({ name, data }: IncomingCommand): void {
    const dialect = this.verdicts.findDialect({ event: name, data });
    if (dialect !== undefined) {
      this.interpreter = this.verdicts.declare(dialect);
      return;
    }
    clearTimeout(this.timer);
    if (Object.hasOwn(COMMANDS, name)) {
      this.isOurs = true;
      this.verdicts.greet();
    }
  }
}
