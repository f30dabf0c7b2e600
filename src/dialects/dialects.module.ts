import { Module, type DynamicModule } from '@nestjs/common';

import { ChatModule } from '../chat/chat.module.js';
import { FilesModule } from '../files/files.module.js';
import { MessagesModule } from '../messages/messages.module.js';
import { RoomsModule } from '../rooms/rooms.module.js';
import { UsersModule } from '../users/users.module.js';
import { DialectGuests } from './dialect-guests.js';
import { DialectImages } from './dialect-images.js';
import { checkDialects } from './define-dialect.js';
import type { Dialect } from './dialect.js';
import { DIALECTS, dialectContextProvider } from './dialect-tokens.js';
import { DialectsService } from './dialects.service.js';
import { GuestPresence } from './guest-presence.js';
import { Observers } from './observers.js';
import { PublicReads } from './public-reads.js';

/** Translates the protocols of legacy clients. */
@Module({})
export class DialectsModule {
  /**
   * Enables dialects. If several match an event, the first one wins.
   *
   * @throws DialectSetupError if a dialect is incomplete or two share a name
   */
  static forRoot(dialects: readonly Dialect[]): DynamicModule {
    checkDialects(dialects);
    return {
      module: DialectsModule,
      imports: [ChatModule, FilesModule, MessagesModule, RoomsModule, UsersModule],
      providers: [
        { provide: DIALECTS, useValue: dialects },
        dialectContextProvider,
        DialectGuests,
        GuestPresence,
        DialectImages,
        DialectsService,
        Observers,
        PublicReads,
      ],
      exports: [DialectsService, DIALECTS, Observers],
    };
  }
}
