import { Module } from '@nestjs/common';

import { UsersModule } from '../users/users.module.js';
import { ActiveRooms } from './active-rooms.js';
import { DirectRooms } from './direct-rooms.service.js';
import { RoomLogModule } from './room-log.module.js';
import { RoomReplay } from './room-replay.js';
import { RoomsService } from './rooms.service.js';

/** Rooms, their members and their logs. */
@Module({
  imports: [RoomLogModule, UsersModule],
  providers: [RoomsService, DirectRooms, ActiveRooms, RoomReplay],
  exports: [RoomLogModule, RoomsService, DirectRooms, ActiveRooms, RoomReplay],
})
export class RoomsModule {}
