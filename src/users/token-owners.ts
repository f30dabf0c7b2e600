import { Injectable } from '@nestjs/common';

import type { Actor } from '../store/actor.js';
import { BotAccounts, botActor } from './bot-accounts.js';
import { TokensService } from './tokens.service.js';
import { UsersService } from './users.service.js';

/** Finds the owners of tokens, for requests without a connection. */
@Injectable()
export class TokenOwners {
  constructor(
    private readonly tokens: TokensService,
    private readonly accounts: BotAccounts,
    private readonly users: UsersService,
  ) {}

  /**
   * Returns the user of a token, with the stored name if there is one (P-2.7).
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
