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

  constructor(@Inject(CONFIG) { limits }: Config) {
    this.guests = hourly(limits.guestsPerHour);
    this.renames = hourly(limits.renamesPerHour);
    this.uploads = hourly(limits.uploadsPerHour);
    this.uploadBytes = hourly(limits.uploadBytesPerHour);
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
    return (tx) => {
      take(this.renames, userId, 'renames');
      tx.ifUndone(() => this.renames.giveBack(userId));
    };
  }

  /** Gives what refuses a user uploads past their number or their bytes. */
  uploadsOf(userId: string): UploadLimit {
    return {
      begin: () => take(this.uploads, userId, 'uploads'),
      take: (bytes) => take(this.uploadBytes, userId, 'uploadBytes', bytes),
    };
  }
}

function hourly(burst: number): KeyedBuckets {
  return new KeyedBuckets({ perSecond: burst / SECONDS_PER_HOUR, burst });
}

function take(buckets: KeyedBuckets, key: string, bucket: string, count?: number): void {
  const retryAfterMs = buckets.take(key, count);
  if (retryAfterMs === 0) return;
  throw new ProtocolError('rate_limited', { retryAfterMs, details: { bucket } });
}
