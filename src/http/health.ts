import { Inject, Injectable } from '@nestjs/common';
import { Router, type Response } from 'express';

import { ChatServer } from '../chat/chat-server.js';
import { CLUSTER_PORT, type ClusterPort } from '../chat/ports/cluster-port.js';
import { Database } from '../database/database.js';

/** The health checks: whether the process runs, and whether it accepts connections. */
@Injectable()
export class Health {
  constructor(
    private readonly database: Database,
    private readonly chat: ChatServer,
    @Inject(CLUSTER_PORT) private readonly cluster: ClusterPort | null,
  ) {}

  /** Returns the route that answers 200 as long as the process runs. */
  liveness(): Router {
    return Router().get('/', (_request, response) => void response.json({ status: 'ok' }));
  }

  /**
   * Returns the route that answers 503 while the server drains or has no database.
   *
   * It answers 200 when the disk is full: reads continue to work, and only an attempted write
   * discovers that space is available again. A server taken out of service would never recover.
   * It also answers 200 without the message bus: the server then reads the database instead.
   */
  readiness(): Router {
    return Router().get('/', (_request, response) => this.sendReadiness(response));
  }

  private sendReadiness(response: Response): void {
    if (this.chat.isDraining()) response.status(503).json({ status: 'draining' });
    else if (!this.database.isReady()) response.status(503).json({ status: 'no database' });
    else response.json(this.describe());
  }

  private describe(): object {
    const status = this.database.isReadOnly() ? 'read-only' : 'ok';
    if (this.cluster === null) return { status };
    return { status, bus: this.cluster.isBusAway() ? 'away' : 'ok' };
  }
}
