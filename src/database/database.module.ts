import { Global, Module, type DynamicModule, type OnApplicationShutdown } from '@nestjs/common';

import { CONFIG, type Config } from '../config/config.js';
import type { Entities } from './data-source.js';
import { Database } from './database.js';
import { Reader } from './reader.js';
import { Writer } from './writer.js';

/** Opens the database before anything else, and closes it after everything else. */
@Global()
@Module({})
export class DatabaseModule implements OnApplicationShutdown {
  constructor(private readonly database: Database) {}

  static forRoot(entities: Entities): DynamicModule {
    return {
      module: DatabaseModule,
      providers: [
        {
          provide: Database,
          inject: [CONFIG],
          useFactory: (config: Config) => Database.open(config, entities),
        },
        { provide: Writer, inject: [Database], useFactory: (db: Database) => db.writer },
        { provide: Reader, inject: [Database], useFactory: (db: Database) => db.reader },
      ],
      exports: [Database, Writer, Reader],
    };
  }

  async onApplicationShutdown(): Promise<void> {
    await this.database.close();
  }
}
