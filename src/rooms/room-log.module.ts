import { Module } from '@nestjs/common';

import { RoomLog } from './room-log.js';

/** The room log, which users, rooms and messages append to. */
@Module({ providers: [RoomLog], exports: [RoomLog] })
export class RoomLogModule {}
