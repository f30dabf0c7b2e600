import { Global, Module, type DynamicModule, type OnApplicationShutdown } from '@nestjs/common';

import { CONFIG, type Config } from '../config/config.js';
import type { Entities } from './data-source.js';
import { Database } from './database.js';
import { Lease } from './lease.js';
import { Reader } from './reader.js';
import { Writer } from './writer.js';

/** Name of the lease under which one server runs the bots and removes what is out of date. */
const BACKGROUND = 'background';

/** Opens the database before anything else, and closes it after everything else. */
@Global()
@Module({})
export class DatabaseModule implements OnApplicationShutdown {
  constructor(
    private readonly database: Database,
    private readonly lease: Lease,
  ) {}

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
        {
          provide: Lease,
          inject: [Database],
          useFactory: (db: Database) => new Lease(BACKGROUND, db.writer, db.isShared),
        },
        { provide: Reader, inject: [Database], useFactory: (db: Database) => db.reader },
      ],
      exports: [Database, Writer, Reader, Lease],
    };
  }

  async onApplicationShutdown(): Promise<void> {
    await this.lease.release();
    await this.database.close();
  }
}
