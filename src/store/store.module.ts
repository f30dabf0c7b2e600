import { Module } from '@nestjs/common';

import { HeadConfirmation } from './head-confirmation.js';
import { LogFeed } from './log-feed.js';
import { RoomLog } from './room-log.js';

/** Provides the logs: append and read, what is new in them, and whether memory is up to date. */
@Module({
  providers: [RoomLog, LogFeed, HeadConfirmation],
  exports: [RoomLog, LogFeed, HeadConfirmation],
})
export class StoreModule {}
