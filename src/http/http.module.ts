import { Inject, Module, type DynamicModule } from '@nestjs/common';
import express, { type Express, type RequestHandler } from 'express';

import { ChatModule } from '../chat/chat.module.js';
import { CONFIG, type Config } from '../config/config.js';
import { HTTP_SETTINGS, type HttpSettings } from '../config/http-options.js';
import type { Dialect } from '../dialects/dialect.js';
import { DIALECTS } from '../dialects/dialect-tokens.js';
import { FilesModule } from '../files/files.module.js';
import { HttpRoutes } from '../transports/http-routes.js';
import { OriginPolicy } from '../transports/origin-policy.js';
import { TransportsModule } from '../transports/transports.module.js';
import { UsersModule } from '../users/users.module.js';
import { FileRequests } from './file-requests.js';
import { filesRouter } from './files-router.js';
import { Health } from './health.js';
import { dialectPages, pages, protocolDocument } from './pages.js';

/** The HTTP routes beside the transports: files, and the routes that {@link HttpSettings} enable. */
@Module({})
export class HttpModule {
  private readonly app: Express = express().disable('x-powered-by');
  /** Paths that this module serves with everything below them, in lower case as in Express. */
  private readonly paths: string[] = [];

  constructor(
    @Inject(CONFIG) config: Config,
    @Inject(HTTP_SETTINGS) settings: HttpSettings,
    @Inject(DIALECTS) dialects: readonly Dialect[],
    routes: HttpRoutes,
    origins: OriginPolicy,
    files: FileRequests,
    health: Health,
  ) {
    const { path } = settings;
    this.serve(`${path}/api/files`, filesRouter(files, origins));
    if (settings.health) this.serve(`${path}/healthz`, health.liveness());
    if (settings.health) this.serve(`${path}/readyz`, health.readiness());
    if (settings.docs) this.serve(`${path}/docs/protocol.md`, protocolDocument());
    if (settings.page) this.serve(`${path}/`, pages(config));
    if (settings.dialects) this.serve(`${path}/`, dialectPages(dialects));
    routes.add((requested) => this.owns(requested.toLowerCase()), this.app);
  }

  /** Configures the module; `dialects` is the module whose dialects it may serve pages for. */
  static forRoot(dialects: DynamicModule): DynamicModule {
    return {
      module: HttpModule,
      imports: [ChatModule, FilesModule, UsersModule, TransportsModule, dialects],
      providers: [FileRequests, Health],
    };
  }

  private serve(path: string, handler: RequestHandler): void {
    this.app.use(path, handler);
    this.paths.push(path.replace(/\/$/, '').toLowerCase());
  }

  private owns(requested: string): boolean {
    return this.paths.some((path) => requested === path || requested.startsWith(`${path}/`));
  }
}
