import type { AppendedEvent } from '../database/writer.js';
import { BotDispatcher } from '../bots/bot-dispatcher.js';
import type { HarnessBots } from './harness-bots.js';
import type { HarnessServer } from './harness-server.js';

/** Bots that run inside the server: it starts them, and all that they do is its own work. */
export class BotsInProcess implements HarnessBots {
  readonly received = 0;

  constructor(private readonly server: HarnessServer) {}

  start(): Promise<void> {
    return Promise.resolve();
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }

  redeliver(event: AppendedEvent): void {
    this.server.app.get(BotDispatcher).committed([event]);
  }

  countBusy(): number {
    return 0;
  }

  countTimers(): number {
    return 0;
  }

  arrived(): Promise<void> {
    return Promise.resolve();
  }
}
