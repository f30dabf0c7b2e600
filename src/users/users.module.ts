import { Module } from '@nestjs/common';

import { RoomLogModule } from '../rooms/room-log.module.js';
import { BlocksService } from './blocks.service.js';
import { BotAccounts } from './bot-accounts.service.js';
import { ReservedNames } from './reserved-names.js';
import { TokenOwners } from './token-owners.js';
import { TokensService } from './tokens.service.js';
import { UsersService } from './users.service.js';

/** Users and the tokens by which they come back. */
@Module({
  imports: [RoomLogModule],
  providers: [BlocksService, BotAccounts, ReservedNames, TokenOwners, TokensService, UsersService],
  exports: [BlocksService, BotAccounts, ReservedNames, TokenOwners, TokensService, UsersService],
})
export class UsersModule {}
