import { Module } from '@nestjs/common';

import { RoomLogModule } from '../rooms/room-log.module.js';
import { TokensService } from './tokens.service.js';
import { UsersService } from './users.service.js';

/** Users and the tokens by which they come back. */
@Module({
  imports: [RoomLogModule],
  providers: [UsersService, TokensService],
  exports: [UsersService, TokensService],
})
export class UsersModule {}
