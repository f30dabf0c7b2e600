import { Injectable } from '@nestjs/common';

import { LoopTurns } from '../chat/connections/loop-turns.js';
import { isLoopback, networkOf } from '../limits/client-network.js';
import { KeyedBuckets } from '../limits/keyed-buckets.js';
import type { TokenBucket } from '../limits/token-bucket.js';
import { HistoryService } from '../messages/history.service.js';
import { encodeValue } from '../protocol/codec.js';
import type { CommandData } from '../protocol/commands.js';
import { ProtocolError } from '../protocol/errors.js';
import type { HistoryPage } from '../protocol/pages.js';

/** Bytes of history that all connections of one address may read without a user. */
const ADDRESS_RATE = { perSecond: 1_048_576, burst: 67_108_864 };

/** Reads the history of public rooms for connections without a user (P-10.7). */
@Injectable()
export class PublicReads {
  private readonly addresses = new KeyedBuckets(ADDRESS_RATE);

  constructor(
    private readonly messages: HistoryService,
    private readonly turns: LoopTurns,
  ) {}

  /**
   * Reads a page of messages and charges its bytes to the connection and its address.
   *
   * @throws ProtocolError `rate_limited` if either of them has read too much
   */
  async history(
    data: CommandData<'message.history'>,
    address: string,
    connection: TokenBucket,
  ): Promise<HistoryPage> {
    const page = await this.messages.publicPage(data);
    const bytes = Buffer.byteLength(encodeValue(page));
    const retryAfterMs = connection.consume(bytes) || this.chargeAddress(address, bytes);
    if (retryAfterMs > 0) {
      throw new ProtocolError('rate_limited', { retryAfterMs, details: { bucket: 'reads' } });
    }
    await this.turns.next();
    return page;
  }

  private chargeAddress(address: string, bytes: number): number {
    return isLoopback(address) ? 0 : this.addresses.consume(networkOf(address), bytes);
  }
}
