import { Module, type OnApplicationBootstrap } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';

import { AddressWarnings } from '../limits/address-warnings.js';
import { ChatModule } from '../chat/chat.module.js';
import { CONFIG, type Config } from '../config/config.js';
import { ClientAddresses } from './client-addresses.js';
import { HttpRoutes } from './http-routes.js';
import { InMemoryTransport } from './in-memory/in-memory.transport.js';
import { OriginPolicy } from './origin-policy.js';

/** The providers that other modules need from the transports. */
@Module({
  imports: [ChatModule],
  providers: [
    HttpRoutes,
    InMemoryTransport,
    {
      provide: ClientAddresses,
      inject: [CONFIG, AddressWarnings],
      useFactory: ({ trustProxy }: Config, warnings: AddressWarnings) =>
        new ClientAddresses(trustProxy, (peer) => warnings.untrustedProxy(peer)),
    },
    {
      provide: OriginPolicy,
      inject: [CONFIG, ClientAddresses],
      useFactory: (config: Config, addresses: ClientAddresses) =>
        new OriginPolicy(config, addresses),
    },
  ],
  exports: [ClientAddresses, HttpRoutes, InMemoryTransport, OriginPolicy],
})
export class TransportsModule implements OnApplicationBootstrap {
  constructor(
    private readonly routes: HttpRoutes,
    private readonly http: HttpAdapterHost,
  ) {}

  /** Requires the adapter: with another one, Nest would bypass all rules of the chat. */
  onApplicationBootstrap(): void {
    const isContext = (this.http.httpAdapter as HttpAdapterHost['httpAdapter'] | null) == null;
    if (isContext || this.routes.isAttached) return;
    throw new Error(
      'Parlance has no adapter: call app.useWebSocketAdapter(new ParlanceAdapter(app)) before listen().',
    );
  }
}
