import { Module } from '@nestjs/common';

import { RoomLogModule } from '../rooms/room-log.module.js';
import { BotAccounts } from './bot-accounts.service.js';
import { ReservedNames } from './reserved-names.js';
import { TokenOwners } from './token-owners.js';
import { TokensService } from './tokens.service.js';
import { UsersService } from './users.service.js';

/** Users and the tokens by which they come back. */
@Module({
  imports: [RoomLogModule],
  providers: [BotAccounts, ReservedNames, UsersService, TokenOwners, TokensService],
  exports: [BotAccounts, ReservedNames, UsersService, TokenOwners, TokensService],
})
export class UsersModule {}
