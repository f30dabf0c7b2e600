import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { errors, jwtVerify, SignJWT, type JWTVerifyGetKey } from 'jose';
import { z } from 'zod';

import { CONFIG, type Config } from '../config/config.js';
import { ProtocolError } from '../protocol/errors.js';
import type { Actor } from './actor.js';
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

/** Tokens by which a user comes back (P-2.7). */
@Injectable()
export class TokensService implements OnModuleInit {
  private keys: TokenKey[] = [];

  constructor(@Inject(CONFIG) private readonly config: Config) {}

  async onModuleInit(): Promise<void> {
    const { tokenKeys, dataDir } = this.config;
    this.keys = tokenKeys === undefined ? await loadTokenKeys(dataDir) : parseTokenKeys(tokenKeys);
  }

  /** Signs a token with the newest key. */
  async issue(actor: Actor): Promise<IssuedToken> {
    const [key] = this.keys;
    if (key === undefined) throw new Error('There is no key to sign tokens with.');
    const expiresAt = (Math.floor(Date.now() / 1_000) + this.config.tokenSeconds) * 1_000;
    const token = await new SignJWT({ name: actor.name, kind: actor.kind, own: actor.ownEpoch })
      .setProtectedHeader({ alg: ALGORITHM, kid: key.id, typ: 'JWT' })
      .setSubject(actor.id)
      .setIssuer(ISSUER)
      .setIssuedAt()
      .setExpirationTime(expiresAt / 1_000)
      .sign(key.secret);
    return { token, expiresAt };
  }

  /**
   * Verifies a token; gives whom it was issued to.
   *
   * @throws ProtocolError `token_expired`, `token_invalid`
   */
  async verify(token: string): Promise<Actor & { expiresAt: number }> {
    try {
      const { payload } = await jwtVerify(token, this.keyOf, {
        issuer: ISSUER,
        algorithms: [ALGORITHM],
        typ: 'JWT',
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
