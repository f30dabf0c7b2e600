import { TokenBucket, type BucketRate } from '../../limits/token-bucket.js';
import type { User } from '../../protocol/models.js';
import type { Actor } from '../../store/actor.js';

/** Rates of one user (P-9.10). */
export interface UserRates {
  readonly messages: BucketRate;
  readonly rooms: BucketRate;
  readonly reads: BucketRate;
}

/** A user with at least one open connection, or one whose rates still count. */
export class PresentUser implements Actor {
  name: string;
  readonly id: string;
  readonly kind: User['kind'];
  readonly ownEpoch: string;
  /** Limits the messages and other changes that this user makes (P-9.10). */
  readonly messageBucket: TokenBucket;
  isStored = false;
  /** Whether the name has been compared with the stored one since the user connected. */
  private isNameKnown = false;
  private typing: Set<string> | undefined;
  private rooms: TokenBucket | undefined;
  private reads: TokenBucket | undefined;

  constructor(
    { id, name, kind, ownEpoch }: Actor,
    private readonly rates: UserRates,
  ) {
    this.id = id;
    this.name = name;
    this.kind = kind;
    this.ownEpoch = ownEpoch;
    this.messageBucket = new TokenBucket(rates.messages);
  }

  /** Limits the rooms that this user creates (P-9.10). */
  get roomBucket(): TokenBucket {
    return (this.rooms ??= new TokenBucket(this.rates.rooms));
  }

  /** Limits the bytes that this user reads by commands (P-9.10). */
  get readBucket(): TokenBucket {
    return (this.reads ??= new TokenBucket(this.rates.reads));
  }

  /** Adopts the stored name, unless the name in memory is newer than what was read. */
  learnStored(stored: User | null, nameBefore: string): void {
    // From the first welcome on, and once the name has changed, memory is ahead of the database.
    if (stored !== null && !this.isNameKnown && this.name === nameBefore) this.name = stored.name;
    this.isNameKnown = true;
    if (stored !== null) this.isStored = true;
  }

  /** Returns whether the others in a room were last told that this user is typing. */
  isTypingIn(room: string): boolean {
    return this.typing?.has(room) === true;
  }

  /** Notes that the others are told that the user is typing. */
  startTyping(room: string): void {
    (this.typing ??= new Set()).add(room);
  }

  /** Notes that the others know that the user has stopped typing. */
  stopTyping(room: string): void {
    this.typing?.delete(room);
  }

  /** Returns whether all rates are full, so that the user can be forgotten. */
  isRested(): boolean {
    const buckets = [this.messageBucket, this.rooms, this.reads];
    return buckets.every((bucket) => bucket === undefined || bucket.isFull());
  }
}

/** An authenticated connection (P-1.2); `SessionsService` alone changes it. */
export interface Session {
  readonly id: string;
  readonly user: PresentUser;
  /** When the token expires, in milliseconds since 1970. */
  expiresAt: number;
  /** Whether `auth.expiring` was sent for this token. */
  warned: boolean;
}
