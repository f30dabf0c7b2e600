import { Inject, Module, type NestModule } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';

import { ChatModule } from '../chat/chat.module.js';
import { FilesModule } from '../files/files.module.js';
import { UsersModule } from '../users/users.module.js';
import { FilesController } from './files.controller.js';
import { HealthController } from './health.controller.js';
import { pages } from './pages.js';
import { rawUploads } from './raw-uploads.js';

/** What is served over HTTP beside the transports. */
@Module({
  imports: [ChatModule, FilesModule, UsersModule],
  controllers: [HealthController, FilesController],
})
export class HttpModule implements NestModule {
  constructor(@Inject(HttpAdapterHost) private readonly host: HttpAdapterHost) {
    // Modules are made before the parsers of bodies are set up, and configured after it.
    host.httpAdapter.use(rawUploads);
  }

  // Nest's own routing of middleware would cut the path that static files are found by.
  configure(): void {
    for (const handler of pages()) this.host.httpAdapter.use(handler);
  }
}
