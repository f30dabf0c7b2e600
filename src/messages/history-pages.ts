import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';

import type { AppendedEvent } from '../database/write-job.js';
import { encodeOnce, encodeValue } from '../protocol/codec.js';
import type { CommandData } from '../protocol/commands.js';
import type { HistoryPage } from '../protocol/pages.js';
import { ownerOfLog } from '../store/actor.js';
import type { FeedListener } from '../store/log-feed.js';

const MOST_BYTES = 33_554_432;
/** A page is held as values, as encoded messages, and as one string of two bytes a character. */
const BYTES_PER_CHARACTER = 4;
const BYTES_OF_A_PAGE = 1_024;

type Asked = CommandData<'message.history'> & { readonly limit: number };

/**
 * Caches pages of history, each at one position of its room.
 *
 * A page changes with an event of its room, which moves the position, or with the name of a sender
 * who has left the room.
 */
@Injectable()
export class HistoryPages implements FeedListener {
  private readonly pages = new LRUCache<string, HistoryPage>({
    maxSize: MOST_BYTES,
    sizeCalculation: (page) => BYTES_OF_A_PAGE + BYTES_PER_CHARACTER * encodeValue(page).length,
  });
  /** Counts invalidations of all pages, so that pages read meanwhile are not cached. */
  private era = 0;

  /** Returns a cached page, or reads it. */
  async get(
    { room, epoch, seq }: Pick<HistoryPage, 'room' | 'epoch' | 'seq'>,
    { before, after, around, limit }: Asked,
    read: () => Promise<HistoryPage>,
  ): Promise<HistoryPage> {
    const key = JSON.stringify([room, epoch, seq, before, after, around, limit]);
    const kept = this.pages.get(key);
    if (kept !== undefined) return kept;
    const { era } = this;
    const page = encodeOnce(await read());
    if (era === this.era) this.pages.set(key, page);
    return page;
  }

  committed(events: readonly AppendedEvent[]): void {
    const isRenamed = events.some(
      ({ log, event }) => event.event === 'user.updated' && ownerOfLog(log) !== null,
    );
    if (isRenamed) this.forget();
  }

  restored(): void {
    this.forget();
  }

  reverted(): void {
    this.forget();
  }

  private forget(): void {
    this.era++;
    this.pages.clear();
  }
}
