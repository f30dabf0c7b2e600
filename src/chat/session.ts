import type { User } from '../protocol/models.js';
import type { Actor } from '../users/actor.js';
import type { Connection } from './connection.js';
import { TokenBucket, type BucketRate } from './token-bucket.js';

/** A user who is here, over one connection or several. */
export class PresentUser implements Actor {
  connections: readonly Connection[] = [];
  isStored = false;
  /** Whether the name was compared with what is stored, since the user came. */
  isNameKnown = false;
  private typing: Set<string> | undefined;
  private rooms: TokenBucket | undefined;

  constructor(
    readonly id: string,
    public name: string,
    readonly kind: User['kind'],
    readonly ownEpoch: string,
    readonly messageBucket: TokenBucket,
    private readonly roomRate: BucketRate,
  ) {}

  /** Rooms in which the others were told last that this user is typing. */
  get typingIn(): Set<string> {
    return (this.typing ??= new Set());
  }

  /** Limits the rooms that this user makes (P-9.10). */
  get roomBucket(): TokenBucket {
    return (this.rooms ??= new TokenBucket(this.roomRate));
  }

  /** Notes that the others know by themselves that the user has stopped typing. */
  stopTyping(room: string): void {
    this.typing?.delete(room);
  }

  /** Tells whether the user may be forgotten without being given a rate anew. */
  isRested(): boolean {
    return this.messageBucket.isFull() && (this.rooms === undefined || this.rooms.isFull());
  }

  /** Adds a connection of this user. */
  add(connection: Connection): void {
    this.connections = [...this.connections, connection];
  }

  /** Removes a connection of this user. */
  remove(connection: Connection): void {
    this.connections = this.connections.filter((one) => one !== connection);
  }
}

/** An authenticated connection (P-1.2). */
export interface Session {
  readonly id: string;
  readonly user: PresentUser;
  /** When the token expires, in milliseconds since 1970. */
  expiresAt: number;
  /** Whether `auth.expiring` was sent for this token. */
  warned: boolean;
}
