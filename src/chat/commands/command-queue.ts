import type { Call } from '../connections/call.js';
import type { Connection } from '../connections/connection.js';
import type { SlowReaders } from '../connections/slow-readers.js';
import type { CommandTable } from './command-table.js';
import type { Dispatcher } from './dispatcher.js';

/** The objects that the queues of all connections share. */
export interface QueueServices {
  readonly table: CommandTable;
  readonly dispatcher: Dispatcher;
  readonly slowReaders: SlowReaders;
}

/**
 * The commands of one connection, in the order sent (P-3.4).
 *
 * A write lets the next command start as soon as it is in the queue of the writer, so that
 * pipelined writes share a commit. Any other command starts after all earlier ones are done, and
 * blocks later ones until it is done itself. Replies leave in the order of the commands. Nothing
 * starts while the client has too many unread bytes.
 */
export class CommandQueue {
  private waiting: Call[] = [];
  private started: Call[] = [];
  private busy: Promise<void> | null = null;
  private allDone: (() => void) | undefined;

  /** `onProgress` of the owner is called after replies were sent. */
  constructor(
    private readonly connection: Connection,
    private readonly services: QueueServices,
    private readonly owner: { onProgress(): void },
  ) {}

  /** Number of commands without a reply. */
  get length(): number {
    return this.waiting.length + this.started.length;
  }

  /** Whether nothing waits, runs, or is about to run. */
  get isIdle(): boolean {
    return this.busy === null && this.length === 0;
  }

  /** Adds a command at the end. */
  add(call: Call): void {
    this.waiting.push(call);
    this.busy ??= this.work();
  }

  /** Resolves when every command has its reply. */
  async drained(): Promise<void> {
    while (this.busy !== null || this.started.length > 0) {
      await this.busy;
      await this.untilDone();
    }
  }

  private async work(): Promise<void> {
    const { table, dispatcher, slowReaders } = this.services;
    for (let next = this.waiting[0]; next !== undefined; next = this.waiting[0]) {
      const isWrite = table.isWrite(next.name);
      if (!isWrite) await this.untilDone();
      await slowReaders.until(this.connection);
      // Commands that have not started when the connection ends are dropped.
      if (!this.connection.isOpen) this.waiting = [];
      const call = this.waiting.shift();
      if (call === undefined) break;
      this.started.push(call);
      void dispatcher.run(call).then(this.flush);
      await call.untilQueued();
      if (!isWrite) await this.untilDone();
    }
    this.busy = null;
    this.owner.onProgress();
  }

  private async untilDone(): Promise<void> {
    if (this.started.length === 0) return;
    await new Promise<void>((resolve) => {
      const before = this.allDone;
      this.allDone = () => {
        before?.();
        resolve();
      };
    });
  }

  private readonly flush = (): void => {
    for (let call = this.started[0]; call?.outcome !== undefined; call = this.started[0]) {
      this.started.shift();
      call.send(call.outcome);
    }
    if (this.started.length === 0) {
      const done = this.allDone;
      this.allDone = undefined;
      done?.();
    }
    this.owner.onProgress();
  };
}
