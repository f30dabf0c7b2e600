import { createHash, randomBytes } from 'node:crypto';

import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

import { Reader } from '../database/reader.js';
import type { BotScope } from '../protocol/bots.js';
import { ProtocolError } from '../protocol/errors.js';
import type { Actor } from '../store/actor.js';
import { BotAccountEntity, BotTokenEntity } from '../store/bot-account.entity.js';

const PREFIX = 'pbt_';
const KEPT_TOKENS = 2;

/** The registration of a remote bot. */
export interface RegisteredBot {
  readonly id: string;
  readonly name: string;
  readonly about: string;
  readonly scopes: readonly BotScope[];
}

/** Remote bots and their tokens (P-13.8). */
@Injectable()
export class BotAccounts {
  constructor(private readonly reader: Reader) {}

  /** Returns whether a token has the form of a bot token. */
  isBotToken(token: string): boolean {
    return token.startsWith(PREFIX);
  }

  /**
   * Returns the bot that a token belongs to.
   *
   * @throws ProtocolError `token_invalid`
   */
  async verify(token: string): Promise<RegisteredBot> {
    const found = await this.reader.snapshot(async ({ manager }) => {
      const row = await manager.findOneBy(BotTokenEntity, { hash: hashOf(token) });
      return row === null ? null : manager.findOneBy(BotAccountEntity, { id: row.botId });
    });
    if (found === null) throw new ProtocolError('token_invalid');
    return toBot(found);
  }

  /** Lists the bots, by name. */
  async list(): Promise<RegisteredBot[]> {
    const rows = await this.reader.snapshot(({ manager }) =>
      manager.find(BotAccountEntity, { order: { name: 'ASC' } }),
    );
    return rows.map(toBot);
  }

  /** Finds a bot by its user id. */
  async findById(id: string): Promise<RegisteredBot | null> {
    const row = await this.reader.snapshot(({ manager }) =>
      manager.findOneBy(BotAccountEntity, { id }),
    );
    return row === null ? null : toBot(row);
  }

  /** Finds a bot by its name. */
  async find(name: string): Promise<RegisteredBot | null> {
    const row = await this.reader.snapshot(({ manager }) =>
      manager.findOneBy(BotAccountEntity, { name }),
    );
    return row === null ? null : toBot(row);
  }
}

/** Registers a bot or changes its registration; returns a new token, which is not stored. */
export async function registerBot(
  manager: EntityManager,
  { name, about, scopes }: Omit<RegisteredBot, 'id'>,
): Promise<string> {
  const id = botId(name);
  const token = PREFIX + randomBytes(24).toString('base64url');
  const row = { id, name, about, scopes: scopes.join(' '), createdAt: Date.now() };
  await manager.upsert(BotAccountEntity, row, ['id']);
  const tokens = await manager.find(BotTokenEntity, {
    where: { botId: id },
    order: { createdAt: 'DESC' },
  });
  const createdAt = Math.max(Date.now(), (tokens[0]?.createdAt ?? 0) + 1);
  await manager.insert(BotTokenEntity, { hash: hashOf(token), botId: id, createdAt });
  for (const { hash } of tokens.slice(KEPT_TOKENS - 1)) {
    await manager.delete(BotTokenEntity, { hash });
  }
  return token;
}

/** Returns the user id of a bot, derived from its name, so that rooms and state last (P-13.1). */
export function botId(name: string): string {
  return createHash('sha256').update(`bot:${name}`).digest('base64url').slice(0, 24);
}

/** Returns a bot as an actor. */
export function botActor(name: string): Actor {
  const id = botId(name);
  return { id, name, kind: 'bot', ownEpoch: id.slice(0, 12) };
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('base64url');
}

function toBot({ id, name, about, scopes }: BotAccountEntity): RegisteredBot {
  return { id, name, about, scopes: scopes.split(' ').filter(Boolean) as BotScope[] };
}
