import { z } from 'zod';

import { ReplayedEvent } from './events.js';
import { Message, Seq } from './models.js';

/** One page of the log of a room after a position, or the reason why there is none (P-5.11). */
export const Replay = z.union([
  z.object({
    room: z.string(),
    epoch: z.string(),
    seq: Seq.describe('Position after the last event of this page.'),
    complete: z.literal(true),
    events: z.array(ReplayedEvent),
    hasMore: z.boolean(),
  }),
  z.object({
    room: z.string(),
    epoch: z.string(),
    seq: Seq,
    complete: z.literal(false),
    reason: z.enum(['epoch_mismatch', 'trimmed', 'ahead']),
  }),
]);
export type Replay = z.infer<typeof Replay>;

/** A page of messages, oldest first (P-6.11). */
export const HistoryPage = z.object({
  room: z.string(),
  epoch: z.string(),
  seq: Seq.describe('Head of the log when the page was read.'),
  messages: z.array(Message),
  hasMore: z.boolean(),
});
export type HistoryPage = z.infer<typeof HistoryPage>;
