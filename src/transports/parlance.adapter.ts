import type { Server as HttpServer } from 'node:http';

import type { INestApplicationContext } from '@nestjs/common';
import { IoAdapter } from '@nestjs/platform-socket.io';
import type { Server } from 'socket.io';

import { ChatServer } from '../chat/chat-server.js';
import type { ChatTransport, TransportHost } from '../chat/transport.js';
import { CONFIG, type Config } from '../config/config.js';
import { addressReader } from './client-address.js';
import { HttpRouter } from './http-router.js';
import { InMemoryTransport } from './in-memory/in-memory.transport.js';
import { OriginGuard } from './origin-guard.js';
import { SocketIoTransport } from './socket-io/socket-io.transport.js';
import { WebSocketTransport } from './websocket/websocket.transport.js';

/**
 * Serves the gateways of a Nest app over every transport at once.
 *
 * Nest calls {@link createIOServer} once. Gateways are told of a `Connection`, which is their
 * client, as soon as that has a session; their handlers are in the command table. What a gateway
 * throws in `handleConnection` or `handleDisconnect`, or rejects with, is logged, and the
 * connection goes on.
 */
export class ParlanceAdapter extends IoAdapter {
  private readonly app: INestApplicationContext;
  private readonly transports: ChatTransport[] = [];
  private io: Server | undefined;

  /** `more` are transports beyond Socket.IO, plain WebSocket and in memory. */
  constructor(
    app: INestApplicationContext,
    private readonly more: readonly ChatTransport[] = [],
  ) {
    super(app);
    this.app = app;
  }

  override createIOServer(): Server {
    if (this.io !== undefined) return this.io;
    const config = this.app.get<Config>(CONFIG);
    const socketIo = SocketIoTransport.create(config.limits.helloTimeoutMs);
    this.transports.push(
      socketIo,
      new WebSocketTransport(),
      this.app.get(InMemoryTransport),
      ...this.more,
    );
    const host = this.host(config);
    for (const transport of this.transports) transport.attach(host);
    this.io = socketIo.server;
    return this.io;
  }

  /** Does nothing, nor do the next two: `GatewayHooks` and the command table call gateways. */
  override bindClientConnect(): void {}

  override bindClientDisconnect(): void {}

  override bindMessageHandlers(): void {}

  override async close(): Promise<void> {
    await Promise.all(this.transports.splice(0).map((transport) => transport.close()));
  }

  private host(config: Config): TransportHost {
    const http = this.httpServer as HttpServer | undefined;
    const guard = new OriginGuard(config.origins);
    const allowed: TransportHost['isOriginAllowed'] = (request) => guard.allows(request);
    const router = http === undefined ? undefined : new HttpRouter(http, allowed);
    const server = this.app.get(ChatServer);
    return {
      http,
      limits: config.limits,
      origins: config.origins,
      claimUpgrade: (owns, handler) => router?.claimUpgrade(owns, handler),
      claimRequests: (owns, handler) => router?.claimRequests(owns, handler),
      isOriginAllowed: allowed,
      remoteAddress: addressReader(config.trustProxy),
      reserve: (address) => server.reserve(address),
      accept: (link, handshake) => server.accept(link, handshake),
    };
  }
}
