import type { ModuleMetadata, Provider } from '@nestjs/common';

import { ConnectionError } from '#client/index.js';

import type { AppendedEvent } from '../../database/write-job.js';
import { Writer } from '../../database/writer.js';
import { botId } from '../../users/bot-accounts.js';
import type { BotSource } from '../kit/bot-source.js';
import { setMark } from '../server/state/bot-marks.js';
import type { BotProgram } from '../standalone/bot-program.js';
import { connectBot } from '../standalone/connect-bot.js';
import type { HarnessServer } from './harness-server.js';

/** The parts of a program of bots. */
export interface ProgramParts {
  readonly bots: readonly BotSource[];
  readonly imports: NonNullable<ModuleMetadata['imports']>;
  readonly providers: readonly Provider[];
  readonly transport: 'websocket' | 'socket.io';
}

/** Runs the bots under test as a program that connects to the server. */
export class HarnessProgram {
  /** Whether the program is being restarted to receive an event again. */
  isRestarting = false;
  private program: BotProgram | null = null;

  /** `stopped` waits until a program has closed, even if handlers hang. */
  constructor(
    private readonly parts: ProgramParts,
    private readonly server: HarnessServer,
    private readonly stopped: (closing: Promise<void>) => Promise<void>,
  ) {}

  async start(): Promise<void> {
    const { url, tokens } = this.server;
    this.program = await connectBot({
      ...{ ...this.parts, url, token: tokens, logger: false },
      // Without long polling, which Socket.IO tries first: it only takes longer.
      socketIo: { transports: ['websocket'] },
    });
    await this.program.ready();
  }

  async stop(): Promise<void> {
    if (this.program === null) return;
    await this.stopped(this.program.close());
    this.program = null;
  }

  /** Delivers an event again: moves the marks back, and starts another program there. */
  async redeliver({ log, epoch, event }: AppendedEvent): Promise<void> {
    this.isRestarting = true;
    await this.stop();
    const seq = event.data.seq - 1;
    await this.server.app.get(Writer).run([log], async ({ manager }) => {
      for (const name of Object.keys(this.server.tokens)) {
        await setMark(manager, botId(name), log, { epoch, seq });
      }
    });
    await this.start();
    this.isRestarting = false;
  }

  /** Resolves when all frames that were on their way have arrived. */
  async roundTrip(): Promise<void> {
    try {
      await this.program?.ping();
    } catch (error) {
      // A program that closes sends nothing more.
      if (!(error instanceof ConnectionError)) throw error;
    }
  }
}
