import type { Provider } from '@nestjs/common';

import { ConnectionError } from '#client/index.js';

import { Writer, type AppendedEvent } from '../database/writer.js';
import { botId } from '../users/bot-accounts.service.js';
import { setMark } from '../bots/bot-marks.service.js';
import { connectBot } from '../bots/remote/connect-bot.js';
import type { BotProgram } from '../bots/remote/bot-program.js';
import type { BotSource } from '../bots/runtime/bot-source.js';
import type { HarnessBots } from './harness-bots.js';
import type { HarnessServer } from './harness-server.js';

/** What carries the frames of a program. */
export type Carrier = 'websocket' | 'socket.io';

/** What a program of bots is made of. */
export interface ProgramParts {
  readonly bots: readonly BotSource[];
  readonly providers: readonly Provider[];
  readonly carrier: Carrier;
}

/** Bots that run as a program of their own, and connect by their tokens. */
export class BotsFromAfar implements HarnessBots {
  private program: BotProgram | null = null;
  /** Events that came to the programs before this one. */
  private before = 0;
  private restarting: Promise<void> | null = null;

  /** `end` ends a program, though handlers may hang. */
  constructor(
    private readonly parts: ProgramParts,
    private readonly server: HarnessServer,
    private readonly end: (program: BotProgram) => Promise<void>,
  ) {}

  get received(): number {
    return this.before + (this.program?.received ?? 0);
  }

  async start(): Promise<void> {
    const { bots, providers, carrier } = this.parts;
    const { url, tokens } = this.server;
    this.program = await connectBot({
      ...{ url, token: tokens, bots, providers, transport: carrier, logger: false },
      // Polling first, as Socket.IO does by default, would only take longer.
      socketIo: { transports: ['websocket'] },
    });
    await this.program.ready();
  }

  async stop(): Promise<void> {
    const { program } = this;
    if (program === null) return;
    await this.end(program);
    this.before += program.received;
    this.program = null;
  }

  redeliver(event: AppendedEvent): void {
    this.restarting = this.restart(event);
  }

  countBusy(): number {
    return (this.program?.countBusy() ?? 0) + (this.restarting === null ? 0 : 1);
  }

  countTimers(): number {
    return this.program?.countTimers() ?? 0;
  }

  async arrived(): Promise<void> {
    try {
      await this.program?.answered();
    } catch (error) {
      // A program that ends asks nothing more.
      if (!(error instanceof ConnectionError)) throw error;
    }
  }

  /** Moves the marks back, and lets another program go on there. */
  private async restart({ log, epoch, event }: AppendedEvent): Promise<void> {
    await this.stop();
    const seq = event.data.seq - 1;
    await this.server.app.get(Writer).run(async ({ manager }) => {
      for (const name of Object.keys(this.server.tokens)) {
        await setMark(manager, botId(name), log, { epoch, seq });
      }
    });
    await this.start();
    this.restarting = null;
  }
}
