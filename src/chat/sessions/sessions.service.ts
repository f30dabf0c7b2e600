import { Inject, Injectable } from '@nestjs/common';

import { CONFIG, type Config } from '../../config/config.js';
import { CloseCode } from '../../protocol/close-codes.js';
import type { ReplyData } from '../../protocol/commands.js';
import { ProtocolError } from '../../protocol/errors.js';
import type { Position } from '../../protocol/models.js';
import { ownLog, type Actor } from '../../store/actor.js';
import type { FollowedLog } from '../../store/followed-log.js';
import { LogFeed } from '../../store/log-feed.js';
import { newId } from '../../store/new-id.js';
import { TokensService } from '../../users/tokens.service.js';
import type { Call } from '../connections/call.js';
import type { Connection } from '../connections/connection.js';
import { PresentUsers } from '../connections/present-users.js';
import type { PresentUser, Session } from '../connections/session.js';
import { RoomHub } from '../fan-out/room-hub.js';

const WARNING_MS = 60_000;
const GRACE_MS = 25_000;

/** The sessions of connections and their tokens, which are renewed in place (P-2.4, P-2.9). */
@Injectable()
export class SessionsService {
  /** The own logs of users with a session, by user. */
  private readonly ownLogs = new Map<string, FollowedLog>();

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly tokens: TokensService,
    private readonly present: PresentUsers,
    private readonly hub: RoomHub,
    private readonly feed: LogFeed,
  ) {}

  /**
   * Opens the session of a connection; the user's own events are held until the call is answered.
   *
   * @throws ProtocolError `too_many_connections`
   */
  open(call: Call, actor: Actor, expiresAt: number): void {
    const { connection } = call;
    const user = this.present.add(actor, connection, this.config.limits.connectionsPerUser);
    if (user === null) {
      const reason = 'too many open connections of this user';
      call.afterReply(() => connection.bye(CloseCode.tooManyConnections, reason));
      throw new ProtocolError('too_many_connections');
    }
    this.hub.attachOwn(call);
    connection.setSession({ id: newId(), user, expiresAt, warned: false });
  }

  /** Follows the user's own log; the connection gets its events after a position. */
  async followOwn({ connection, actor }: Call, me: Position): Promise<void> {
    // The connection may have ended meanwhile.
    if (this.present.find(actor.id) === undefined) return;
    const log = ownLog(actor.id);
    if (this.feed.follows(log)) {
      await this.feed.reach(log, me.seq);
      this.hub.dropOwn(connection, me.seq);
      return;
    }
    // Events that came before anyone followed the log may have gaps: they are read again.
    const latest = this.hub.dropOwn(connection, Infinity);
    this.ownLogs.set(actor.id, this.feed.follow(log, me, latest));
  }

  /** Ends what a session receives; returns its user if this was the user's last connection. */
  close(connection: Connection): PresentUser | null {
    this.hub.detachAll(connection);
    const user = connection.session?.user;
    if (user === undefined || !this.present.remove(user, connection)) return null;
    const followed = this.ownLogs.get(user.id);
    if (followed !== undefined) this.feed.unfollow(followed);
    this.ownLogs.delete(user.id);
    return user;
  }

  /**
   * Renews the token of a session, or adopts another token of the same user.
   *
   * @throws ProtocolError `forbidden`, `token_invalid`, `token_expired`
   */
  async refresh(session: Session, token?: string): Promise<ReplyData<'auth.refresh'>> {
    let next: { token: string; expiresAt: number };
    if (token === undefined) {
      next = await this.tokens.issue(session.user);
    } else {
      const { id, expiresAt } = await this.tokens.verify(token);
      if (id !== session.user.id) {
        throw new ProtocolError('forbidden', { message: 'The token is of another user.' });
      }
      next = { token, expiresAt };
    }
    session.expiresAt = next.expiresAt;
    session.warned = false;
    return next;
  }

  /** Warns that a token is about to expire; closes the connection when the grace period is over. */
  checkExpiry(connection: Connection, session: Session, now: number): void {
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
