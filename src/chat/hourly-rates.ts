import { Inject, Injectable } from '@nestjs/common';

import { CONFIG, type Config } from '../config/config.js';
import type { WriteTransaction } from '../database/writer.js';
import type { UploadLimit } from '../files/upload-limit.js';
import { ProtocolError } from '../protocol/errors.js';
import { isLoopback, networkOf } from './client-network.js';
import { KeyedBuckets } from './keyed-buckets.js';

const SECONDS_PER_HOUR = 3_600;

/** Rates of what is rare, kept also when nobody is connected (P-9.10). */
@Injectable()
export class HourlyRates {
  private readonly guests: KeyedBuckets;
  private readonly renames: KeyedBuckets;
  private readonly uploads: KeyedBuckets;
  private readonly uploadBytes: KeyedBuckets;
  private readonly directs: KeyedBuckets;

  constructor(@Inject(CONFIG) { limits }: Config) {
    this.guests = hourly(limits.guestsPerHour);
    this.renames = hourly(limits.renamesPerHour);
    this.uploads = hourly(limits.uploadsPerHour);
    this.uploadBytes = hourly(limits.uploadBytesPerHour);
    this.directs = hourly(limits.directsPerHour);
  }

  /**
   * Takes a new guest of an address.
   *
   * @throws ProtocolError `rate_limited`
   */
  admitGuest(address: string): void {
    if (!isLoopback(address)) take(this.guests, networkOf(address), 'guests');
  }

  /** Gives what refuses a user one change of the name too many. */
  renamesOf(userId: string): (tx: WriteTransaction) => void {
    return takeInWrite(this.renames, userId, 'renames');
  }

  /** Gives what refuses a user uploads past their number or their bytes. */
  uploadsOf(userId: string): UploadLimit {
    return {
      begin: () => take(this.uploads, userId, 'uploads'),
      take: (bytes) => take(this.uploadBytes, userId, 'uploadBytes', bytes),
    };
  }

  /** Gives what refuses a user one new direct room too many. */
  directsOf(userId: string): (tx: WriteTransaction) => void {
    return takeInWrite(this.directs, userId, 'directs');
  }
}

function takeInWrite(
  buckets: KeyedBuckets,
  key: string,
  bucket: string,
): (tx: WriteTransaction) => void {
  return (tx) => {
    take(buckets, key, bucket);
    tx.ifUndone(() => buckets.giveBack(key));
  };
}

function hourly(burst: number): KeyedBuckets {
  return new KeyedBuckets({ perSecond: burst / SECONDS_PER_HOUR, burst });
}

function take(buckets: KeyedBuckets, key: string, bucket: string, count?: number): void {
  const retryAfterMs = buckets.take(key, count);
  if (retryAfterMs === 0) return;
  throw new ProtocolError('rate_limited', { retryAfterMs, details: { bucket } });
}
