import { Inject, Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { errors, jwtVerify, SignJWT, type JWTVerifyGetKey } from 'jose';
import { z } from 'zod';

import { CONFIG, type Config } from '../config/config.js';
import { Reader } from '../database/reader.js';
import type { Sql } from '../database/sql.js';
import type { WriteTransaction } from '../database/write-job.js';
import { Writer } from '../database/writer.js';
import { ProtocolError } from '../protocol/errors.js';
import type { Actor } from '../store/actor.js';
import { loadTokenKeys, parseTokenKeys, type TokenKey } from './token-keys.js';

const ISSUER = 'parlance';
const ALGORITHM = 'HS256';
const Claims = z.object({
  sub: z.string(),
  name: z.string(),
  kind: z.enum(['guest', 'member', 'bot']),
  own: z.string(),
  exp: z.number(),
});

/** A token and the time when it expires, in milliseconds since 1970. */
export interface IssuedToken {
  readonly token: string;
  readonly expiresAt: number;
}

/** Issues and verifies the tokens with which users return (P-2.7). */
@Injectable()
export class TokensService implements OnModuleInit {
  private readonly logger = new Logger(TokensService.name);
  private keys: TokenKey[] = [];

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly reader: Reader,
    private readonly writer: Writer,
  ) {}

  async onModuleInit(): Promise<void> {
    const { tokenKeys, dataDir } = this.config;
    const { known, hasUsers } = await this.reader.snapshot(({ sql }) => readKeysInUse(sql));
    this.keys =
      tokenKeys === undefined
        ? await loadTokenKeys(dataDir, known.length > 0 || hasUsers)
        : parseTokenKeys(tokenKeys);
    const unknown = this.keys.filter(({ id }) => !known.includes(id));
    if (known.length > 0 && unknown.length === this.keys.length) {
      this.logger.warn({
        msg: 'None of the previous token keys is configured: all existing tokens are invalid',
      });
    }
    if (unknown.length > 0) await this.writer.run([], (tx) => storeKeyIds(tx, unknown));
  }

  /** Signs a token with the newest key. */
  async issue(actor: Actor): Promise<IssuedToken> {
    const [key] = this.keys;
    if (key === undefined) throw new Error('There is no key for signing tokens');
    const now = Math.floor(this.writer.now() / 1_000);
    const expiresAt = (now + this.config.tokenSeconds) * 1_000;
    const token = await new SignJWT({ name: actor.name, kind: actor.kind, own: actor.ownEpoch })
      .setProtectedHeader({ alg: ALGORITHM, kid: key.id, typ: 'JWT' })
      .setSubject(actor.id)
      .setIssuer(ISSUER)
      .setIssuedAt(now)
      .setExpirationTime(expiresAt / 1_000)
      .sign(key.secret);
    return { token, expiresAt };
  }

  /**
   * Verifies a token; returns the user it was issued to.
   *
   * @throws ProtocolError `token_expired`, `token_invalid`
   */
  async verify(token: string): Promise<Actor & { expiresAt: number }> {
    try {
      const { payload } = await jwtVerify(token, this.keyOf, {
        issuer: ISSUER,
        algorithms: [ALGORITHM],
        typ: 'JWT',
        currentDate: new Date(this.writer.now()),
      });
      const claims = Claims.parse(payload);
      const { sub: id, name, kind, own: ownEpoch, exp } = claims;
      return { id, name, kind, ownEpoch, expiresAt: exp * 1_000 };
    } catch (error) {
      if (error instanceof errors.JWTExpired) throw new ProtocolError('token_expired');
      if (error instanceof errors.JOSEError || error instanceof z.ZodError) {
        throw new ProtocolError('token_invalid');
      }
      throw error;
    }
  }

  private readonly keyOf: JWTVerifyGetKey = ({ kid }) => {
    const key = this.keys.find(({ id }) => id === kid);
    if (key === undefined) throw new errors.JWKSNoMatchingKey();
    return key.secret;
  };
}

/** Databases of earlier versions have no key ids, but they have users if tokens were issued. */
async function readKeysInUse(sql: Sql): Promise<{ known: string[]; hasUsers: boolean }> {
  const rows = await sql.all<{ id: string }>('SELECT id FROM token_keys');
  const user = await sql.get(`SELECT id FROM users WHERE kind <> 'bot' LIMIT 1`);
  return { known: rows.map(({ id }) => id), hasUsers: user !== undefined };
}

async function storeKeyIds(tx: WriteTransaction, keys: readonly TokenKey[]): Promise<void> {
  for (const { id } of keys) {
    await tx.sql.run(
      'INSERT INTO token_keys (id, first_used_at) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING',
      id,
      tx.now(),
    );
  }
}
