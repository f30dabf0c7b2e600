import { Inject, Module, type NestModule } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';

import { ChatModule } from '../chat/chat.module.js';
import { HealthController } from './health.controller.js';
import { pages } from './pages.js';

/** What is served over HTTP beside the transports. */
@Module({ imports: [ChatModule], controllers: [HealthController] })
export class HttpModule implements NestModule {
  constructor(@Inject(HttpAdapterHost) private readonly host: HttpAdapterHost) {}

  // Nest's own routing of middleware would cut the path that static files are found by.
  configure(): void {
    for (const handler of pages()) this.host.httpAdapter.use(handler);
  }
}
