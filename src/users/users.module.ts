import { Module } from '@nestjs/common';

import { StoreModule } from '../store/store.module.js';
import { BlocksService } from './blocks.service.js';
import { BotAccounts } from './bot-accounts.js';
import { BotNames } from './bot-names.js';
import { ReservedNames } from './reserved-names.js';
import { TokenOwners } from './token-owners.js';
import { TokensService } from './tokens.service.js';
import { UsersService } from './users.service.js';

/** Users and their tokens. */
@Module({
  imports: [StoreModule],
  providers: [
    BlocksService,
    BotAccounts,
    BotNames,
    ReservedNames,
    TokenOwners,
    TokensService,
    UsersService,
  ],
  exports: [
    BlocksService,
    BotAccounts,
    BotNames,
    ReservedNames,
    TokenOwners,
    TokensService,
    UsersService,
  ],
})
export class UsersModule {}
