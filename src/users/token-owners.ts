import { Inject, Injectable } from '@nestjs/common';

import type { Actor } from './actor.js';
import { BotAccounts, botActor } from './bot-accounts.service.js';
import { TokensService } from './tokens.service.js';
import { UsersService } from './users.service.js';

/** Who a token belongs to, for those who come without a connection. */
@Injectable()
export class TokenOwners {
  constructor(
    @Inject(TokensService) private readonly tokens: TokensService,
    @Inject(BotAccounts) private readonly accounts: BotAccounts,
    @Inject(UsersService) private readonly users: UsersService,
  ) {}

  /**
   * Gives the user of a token, under the stored name if there is one (P-2.7).
   *
   * @throws ProtocolError `token_invalid`, `token_expired`
   */
  async get(token: string): Promise<Actor> {
    if (this.accounts.isBotToken(token)) return botActor((await this.accounts.verify(token)).name);
    const { id, name, kind, ownEpoch } = await this.tokens.verify(token);
    const found = await this.users.find(id);
    if (found === null) return { id, name, kind, ownEpoch };
    return { id, name: found.name, kind, ownEpoch, isStored: true };
  }
}
