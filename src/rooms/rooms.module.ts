import { Module } from '@nestjs/common';

import { UsersModule } from '../users/users.module.js';
import { ActiveRooms } from './active-rooms.js';
import { DirectRooms } from './direct-rooms.js';
import { StoreModule } from '../store/store.module.js';
import { RoomReplay } from './room-replay.js';
import { RoomsService } from './rooms.service.js';

/** Rooms, their members and their logs. */
@Module({
  imports: [StoreModule, UsersModule],
  providers: [RoomsService, DirectRooms, ActiveRooms, RoomReplay],
  exports: [StoreModule, RoomsService, DirectRooms, ActiveRooms, RoomReplay],
})
export class RoomsModule {}
