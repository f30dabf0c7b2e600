import type { Server as HttpServer } from 'node:http';

import type { INestApplicationContext } from '@nestjs/common';
import { IoAdapter } from '@nestjs/platform-socket.io';
import type { Server } from 'socket.io';

import { AddressWarnings } from '../limits/address-warnings.js';
import { ChatServer } from '../chat/chat-server.js';
import type { ChatTransport, TransportHost } from '../chat/connections/transport.js';
import { CONFIG, type Config } from '../config/config.js';
import { HTTP_SETTINGS, type HttpSettings } from '../config/http-options.js';
import { ClientAddresses } from './client-addresses.js';
import { limitHttpConnections } from './http-connections.js';
import { HttpRouter } from './http-router.js';
import { HttpRoutes } from './http-routes.js';
import { InMemoryTransport } from './in-memory/in-memory.transport.js';
import { OriginPolicy } from './origin-policy.js';
import { SocketIoTransport } from './socket-io/socket-io.transport.js';
import { WebSocketTransport } from './websocket/websocket.transport.js';

/**
 * Serves the gateways of a Nest app over every transport at once.
 *
 * Nest calls {@link createIOServer} once. The client of a gateway is a `Connection`, of which the
 * gateway is told as soon as it has a session. The handlers of gateways are in the command table.
 * If `handleConnection` or `handleDisconnect` fails, the error is logged and nothing else happens.
 */
export class ParlanceAdapter extends IoAdapter {
  private readonly app: INestApplicationContext;
  private readonly transports: ChatTransport[] = [];
  private io: Server | undefined;

  /** `more` are transports in addition to Socket.IO, plain WebSocket and in memory. */
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
    this.app.get(HttpRoutes).attach(host);
    this.io = socketIo.server;
    return this.io;
  }

  /** Does nothing, like the next two: `GatewayHooks` and the command table call gateways. */
  override bindClientConnect(): void {}

  override bindClientDisconnect(): void {}

  override bindMessageHandlers(): void {}

  override async close(): Promise<void> {
    await Promise.all(this.transports.splice(0).map((transport) => transport.close()));
  }

  private host(config: Config): TransportHost {
    const http = this.httpServer as HttpServer | undefined;
    const policy = this.app.get(OriginPolicy);
    const allowed: TransportHost['isOriginAllowed'] = (request) => policy.allows(request);
    const router = http === undefined ? undefined : new HttpRouter(http, allowed);
    const server = this.app.get(ChatServer);
    const addresses = this.app.get(ClientAddresses);
    const warnings = this.app.get(AddressWarnings);
    if (http !== undefined) limitHttpConnections(http, config.limits, addresses, warnings);
    return {
      http,
      path: this.app.get<HttpSettings>(HTTP_SETTINGS).path,
      limits: config.limits,
      origins: config.origins,
      claimUpgrade: (owns, handler) => router?.claimUpgrade(owns, handler),
      claimRequests: (owns, handler, options) => router?.claimRequests(owns, handler, options),
      isOriginAllowed: allowed,
      remoteAddress: (request) => addresses.of(request),
      reserve: (address) => server.reserve(address),
      accept: (link, handshake) => server.accept(link, handshake),
    };
  }
}
