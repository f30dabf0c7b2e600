import { Inject, Injectable } from '@nestjs/common';

import { CloseCode } from '../protocol/close-codes.js';
import type { ReplyData } from '../protocol/commands.js';
import { ProtocolError } from '../protocol/errors.js';
import { TokensService } from '../users/tokens.service.js';
import type { Connection } from './connection.js';
import type { Session } from './session.js';

const WARNING_MS = 60_000;
const GRACE_MS = 25_000;

/** Tokens of open sessions: announced before they expire, and renewed in place (P-2.9). */
@Injectable()
export class SessionsService {
  constructor(@Inject(TokensService) private readonly tokens: TokensService) {}

  /**
   * Renews the token of a session, or adopts one of the same user.
   *
   * @throws ProtocolError `forbidden`, `token_invalid`, `token_expired`
   */
  async refresh(session: Session, given?: string): Promise<ReplyData<'auth.refresh'>> {
    let next: { token: string; expiresAt: number };
    if (given === undefined) {
      next = await this.tokens.issue(session.user);
    } else {
      const { id, expiresAt } = await this.tokens.verify(given);
      if (id !== session.user.id) {
        throw new ProtocolError('forbidden', { message: 'The token is of another user.' });
      }
      next = { token: given, expiresAt };
    }
    session.expiresAt = next.expiresAt;
    session.warned = false;
    return next;
  }

  /** Announces that a token expires, or ends the session after its grace. */
  check(connection: Connection, session: Session, now: number): void {
    const inMs = session.expiresAt - now;
    if (inMs > WARNING_MS) return;
    if (inMs <= -GRACE_MS) {
      connection.bye(CloseCode.tokenExpired, 'the token expired and was not refreshed');
      return;
    }
    if (session.warned) return;
    session.warned = true;
    connection.tell('auth.expiring', { expiresAt: session.expiresAt, inMs: Math.max(0, inMs) });
  }
}
