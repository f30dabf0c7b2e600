import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import { GATEWAY_METADATA } from '@nestjs/websockets/internal.js';

import type { Connection } from '../connections/connection.js';

/** The hooks of a gateway: `OnGatewayConnection` and `OnGatewayDisconnect`. */
interface GatewayWithHooks {
  handleConnection?: (client: Connection, handshake: unknown) => unknown;
  handleDisconnect?: (client: Connection, reason: string) => unknown;
}

/**
 * Calls the gateways of the app when a connection gets a session and when it ends (P-2.1).
 *
 * When a hook fails, Nest would end the process. Here the failure is logged and the connection
 * stays open: a fault of one gateway must not affect the others.
 */
@Injectable()
export class GatewayHooks implements OnModuleInit {
  private readonly logger = new Logger('Gateways');
  private gateways: readonly GatewayWithHooks[] = [];
  private hasDisconnectHooks = false;

  constructor(private readonly discovery: DiscoveryService) {}

  onModuleInit(): void {
    const instances = this.discovery
      .getProviders()
      .filter((provider) => provider.isDependencyTreeStatic())
      .map(({ instance }) => instance as unknown)
      .filter(isGateway);
    // A provider may be registered under several tokens.
    this.gateways = [...new Set(instances)];
    this.hasDisconnectHooks = this.gateways.some(
      ({ handleDisconnect }) => handleDisconnect !== undefined,
    );
  }

  /** Calls the connection hooks, and later the disconnect hooks. */
  entered(connection: Connection): void {
    for (const gateway of this.gateways) {
      this.call(connection, () => gateway.handleConnection?.(connection, connection.handshake));
    }
    // There may be many thousands of connections: no listener is kept without a hook for it.
    if (this.hasDisconnectHooks) connection.onDisconnect((reason) => this.left(connection, reason));
  }

  private left(connection: Connection, reason: string): void {
    for (const gateway of this.gateways) {
      this.call(connection, () => gateway.handleDisconnect?.(connection, reason));
    }
  }

  /** Calls a hook, which may return a promise, without waiting for it. */
  private call({ id }: Connection, hook: () => unknown): void {
    const fail = (err: unknown) =>
      this.logger.error({ msg: 'A gateway hook failed', connection: id, err });
    try {
      Promise.resolve(hook()).catch(fail);
    } catch (error) {
      fail(error);
    }
  }
}

function isGateway(instance: unknown): instance is GatewayWithHooks {
  if (typeof instance !== 'object' || instance === null) return false;
  const type: unknown = instance.constructor;
  return typeof type === 'function' && Reflect.hasMetadata(GATEWAY_METADATA, type);
}
