import { Module, type DynamicModule } from '@nestjs/common';

import { ChatModule } from '../chat/chat.module.js';
import { CONFIG, type Config } from '../config/config.js';
import { FilesModule } from '../files/files.module.js';
import { RoomsModule } from '../rooms/rooms.module.js';
import { UsersModule } from '../users/users.module.js';
import { BUILT_IN_DIALECTS } from './built-in.js';
import { DialectGuests } from './dialect-guests.service.js';
import { DialectImages } from './dialect-images.service.js';
import type { Dialect } from './dialect.js';
import { Dialects, DIALECTS } from './dialects.service.js';
import { Observers } from './observers.js';

/** Foreign chat protocols, for clients that know no other. */
@Module({})
export class DialectsModule {
  /** Speaks these dialects, and those that come with the server and are switched on. */
  static of(dialects: readonly Dialect[]): DynamicModule {
    return {
      module: DialectsModule,
      imports: [ChatModule, FilesModule, RoomsModule, UsersModule],
      providers: [
        {
          provide: DIALECTS,
          inject: [CONFIG],
          useFactory: (config: Config) => [
            ...dialects,
            ...BUILT_IN_DIALECTS.filter(({ name }) => isOn(config, name)),
          ],
        },
        DialectGuests,
        DialectImages,
        Dialects,
        Observers,
      ],
    };
  }
}

function isOn({ dialects }: Config, name: string): boolean {
  return (dialects as readonly string[]).includes(name);
}
