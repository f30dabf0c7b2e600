import { Module } from '@nestjs/common';

import { FilesModule } from '../files/files.module.js';
import { RoomsModule } from '../rooms/rooms.module.js';
import { HistoryPages } from './history-pages.js';
import { HistoryService } from './history.service.js';
import { MessageFiles } from './message-files.js';
import { MessagesService } from './messages.service.js';
import { ReactionsService } from './reactions.service.js';

/** Messages, reactions and history. */
@Module({
  imports: [FilesModule, RoomsModule],
  providers: [MessageFiles, MessagesService, ReactionsService, HistoryPages, HistoryService],
  exports: [MessagesService, ReactionsService, HistoryPages, HistoryService],
})
export class MessagesModule {}
