import { Module } from '@nestjs/common';

import { RoomsModule } from '../rooms/rooms.module.js';
import { HistoryService } from './history.service.js';
import { MessagesService } from './messages.service.js';
import { ReactionsService } from './reactions.service.js';

/** Messages, reactions and history. */
@Module({
  imports: [RoomsModule],
  providers: [MessagesService, ReactionsService, HistoryService],
  exports: [MessagesService, ReactionsService, HistoryService],
})
export class MessagesModule {}
