import { Inject, Module, type NestModule, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';

import { ChatModule } from '../chat/chat.module.js';
import { CONFIG, type Config } from '../config/config.js';
import { FilesModule } from '../files/files.module.js';
import { UsersModule } from '../users/users.module.js';
import { FilesController } from './files.controller.js';
import { HealthController } from './health.controller.js';
import { pages } from './pages.js';
import { rawUploads } from './raw-uploads.js';
import { answerAsRealtimeChat } from './realtime-chat.js';

/** What is served over HTTP beside the transports. */
@Module({
  imports: [ChatModule, FilesModule, UsersModule],
  controllers: [HealthController, FilesController],
})
export class HttpModule implements NestModule, OnModuleInit {
  constructor(
    @Inject(HttpAdapterHost) private readonly host: HttpAdapterHost,
    @Inject(CONFIG) private readonly config: Config,
  ) {
    // Modules are made before the parsers of bodies are set up, and configured after it.
    host.httpAdapter.use(rawUploads);
  }

  // Nest's own routing of middleware would cut the path that static files are found by.
  configure(): void {
    for (const handler of pages(this.config)) this.host.httpAdapter.use(handler);
  }

  // By now all routes are known, those of an embedding app too, and go before this.
  onModuleInit(): void {
    if (this.config.dialects.includes('realtime-chat')) {
      this.host.httpAdapter.use(answerAsRealtimeChat);
    }
  }
}
