import { Inject, Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import { GATEWAY_METADATA } from '@nestjs/websockets/internal.js';

import type { Connection } from './connection.js';

/** What a gateway may have besides its commands: `OnGatewayConnection`, `OnGatewayDisconnect`. */
interface GatewayWithHooks {
  handleConnection?: (client: Connection, handshake: unknown) => unknown;
  handleDisconnect?: (client: Connection, reason: string) => unknown;
}

/**
 * Tells the gateways of the app who comes and who goes (P-2.1).
 *
 * Nest's own way ends the process when a gateway fails at it. Here the failure is logged, and
 * the connection goes on: a fault of one gateway is no reason to keep people from all the others.
 */
@Injectable()
export class GatewayHooks implements OnModuleInit {
  private readonly logger = new Logger('Gateways');
  private gateways: readonly GatewayWithHooks[] = [];
  private isToldOfEnds = false;

  constructor(@Inject(DiscoveryService) private readonly discovery: DiscoveryService) {}

  onModuleInit(): void {
    const instances = this.discovery
      .getProviders()
      .filter((provider) => provider.isDependencyTreeStatic())
      .map(({ instance }) => instance as unknown)
      .filter(isGateway);
    // A provider may be found by several names.
    this.gateways = [...new Set(instances)];
    this.isToldOfEnds = this.gateways.some(
      ({ handleDisconnect }) => handleDisconnect !== undefined,
    );
  }

  /** Tells of a connection that got a session, and later of its end. */
  entered(connection: Connection): void {
    for (const gateway of this.gateways) {
      this.call(connection, () => gateway.handleConnection?.(connection, connection.handshake));
    }
    // There may be many thousands of connections: what nobody asks for is not kept for each.
    if (this.isToldOfEnds) connection.onDisconnect((reason) => this.left(connection, reason));
  }

  private left(connection: Connection, reason: string): void {
    for (const gateway of this.gateways) {
      this.call(connection, () => gateway.handleDisconnect?.(connection, reason));
    }
  }

  /** Calls a gateway, which may answer at once or later, without waiting for it. */
  private call({ id }: Connection, hook: () => unknown): void {
    const fail = (err: unknown) =>
      this.logger.error({ msg: 'A gateway failed at a connection', connection: id, err });
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
