import { Inject, Injectable } from '@nestjs/common';

import { CONFIG, type Config } from '../config/config.js';
import type { WriteTransaction } from '../database/write-job.js';
import { ProtocolError } from '../protocol/errors.js';
import { AddressWarnings } from './address-warnings.js';
import { isLoopback, networkOf } from './client-network.js';
import type { AddressBudget } from './address-budget.js';
import { KeyedBuckets } from './keyed-buckets.js';

const SECONDS_PER_HOUR = 3_600;

/** A user, and the budget of the user's address; null if the address has no limit. */
export interface RateSubject {
  readonly userId: string;
  readonly budget: AddressBudget | null;
}

/** Charges the files that a user uploads (P-9.10). */
export interface UploadLimit {
  /**
   * Charges one file, before its bytes are read.
   *
   * @throws ProtocolError `rate_limited`
   */
  chargeFile(): void;
  /**
   * Charges the bytes of a file, before they are stored for good.
   *
   * @throws ProtocolError `rate_limited`
   */
  chargeBytes(bytes: number): void;
}

/** Hourly limits for rare actions; they survive the end of a connection (P-9.10). */
@Injectable()
export class HourlyRates {
  private readonly guests: KeyedBuckets;
  private readonly renames: KeyedBuckets;
  private readonly uploads: KeyedBuckets;
  private readonly uploadBytes: KeyedBuckets;
  private readonly directs: KeyedBuckets;
  private readonly joins: KeyedBuckets;

  constructor(
    @Inject(CONFIG) { limits }: Config,
    private readonly warnings: AddressWarnings,
  ) {
    this.guests = hourly(limits.guestsPerHour);
    this.renames = hourly(limits.renamesPerHour);
    this.uploads = hourly(limits.uploadsPerHour);
    this.uploadBytes = hourly(limits.uploadBytesPerHour);
    this.directs = hourly(limits.directsPerHour);
    this.joins = hourly(limits.joinsPerHour);
  }

  /**
   * Charges a new guest to an address.
   *
   * @throws ProtocolError `rate_limited`
   */
  admitGuest(address: string): void {
    if (isLoopback(address)) return;
    try {
      charge(this.guests, networkOf(address), 'guests');
    } catch (error) {
      this.warnings.atLimit(address, 'guestsPerHour');
      throw error;
    }
  }

  /** Returns a check that throws when the user renames too often, or the address is in debt. */
  limitRename({ userId, budget }: RateSubject): (tx: WriteTransaction, rooms: number) => void {
    const limit = chargeInWrite(this.renames, userId, 'renames');
    return (tx, rooms) => {
      chargeAddress(budget, 0);
      limit(tx);
      // Each room is told of the rename; the address is charged for that, and may go into debt.
      budget?.messages.charge(rooms);
    };
  }

  /** Returns a check that throws when the user, or the address, has joined too many rooms. */
  limitJoin({ userId, budget }: RateSubject): (tx: WriteTransaction) => void {
    const limit = chargeInWrite(this.joins, userId, 'joins');
    return (tx) => {
      chargeAddress(budget, 1);
      limit(tx);
    };
  }

  /** Returns checks that throw when the user has uploaded too many files or bytes. */
  limitUpload(userId: string): UploadLimit {
    return {
      chargeFile: () => charge(this.uploads, userId, 'uploads'),
      chargeBytes: (bytes) => charge(this.uploadBytes, userId, 'uploadBytes', bytes),
    };
  }

  /** Returns a check that throws when the user has opened too many direct rooms. */
  limitDirectRoom(userId: string): (tx: WriteTransaction) => void {
    return chargeInWrite(this.directs, userId, 'directs');
  }
}

function chargeInWrite(
  buckets: KeyedBuckets,
  key: string,
  bucket: string,
): (tx: WriteTransaction) => void {
  return (tx) => {
    charge(buckets, key, bucket);
    tx.ifUndone(() => buckets.refund(key));
  };
}

function chargeAddress(budget: AddressBudget | null, tokens: number): void {
  const { messages } = budget ?? {};
  const retryAfterMs = messages?.waitMs() ?? 0;
  if (retryAfterMs === 0) {
    messages?.charge(tokens);
    return;
  }
  throw new ProtocolError('rate_limited', { retryAfterMs, details: { bucket: 'addressMessages' } });
}

function hourly(burst: number): KeyedBuckets {
  return new KeyedBuckets({ perSecond: burst / SECONDS_PER_HOUR, burst });
}

function charge(buckets: KeyedBuckets, key: string, bucket: string, count?: number): void {
  const retryAfterMs = buckets.consume(key, count);
  if (retryAfterMs === 0) return;
  throw new ProtocolError('rate_limited', { retryAfterMs, details: { bucket } });
}
