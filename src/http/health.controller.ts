import { Controller, Get, Inject, ServiceUnavailableException } from '@nestjs/common';

import { ChatServer } from '../chat/chat-server.js';
import { Database } from '../database/database.js';

/** Whether the process lives, and whether it takes connections. */
@Controller()
export class HealthController {
  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(ChatServer) private readonly chat: ChatServer,
  ) {}

  /** Answers as long as the process is alive. */
  @Get('healthz')
  lives(): { status: string } {
    return { status: 'ok' };
  }

  /**
   * Answers 503 while the server drains or has no database; while it starts, nobody listens.
   *
   * With a full disk it serves who reads, and only a change that is tried finds room again: taken
   * out of service, it would stay so for ever.
   */
  @Get('readyz')
  ready(): { status: string } {
    if (this.chat.isDraining()) throw new ServiceUnavailableException({ status: 'draining' });
    if (!this.database.isReady()) throw new ServiceUnavailableException({ status: 'no database' });
    return { status: this.database.isReadOnly() ? 'read-only' : 'ok' };
  }
}
