import { z } from 'zod';

import { ANNOUNCED_LIMITS, type AnnouncedLimits } from './limits.js';
import { Id, Position, Seq, User } from './models.js';

const limitShape = Object.fromEntries(ANNOUNCED_LIMITS.map((name) => [name, z.number()])) as Record<
  keyof AnnouncedLimits,
  z.ZodNumber
>;

/** Result for one room of `hello.resume` (P-5.12). */
export const Resumed = z.union([
  z.object({ complete: z.literal(true), seq: Seq }),
  z.object({
    complete: z.literal(false),
    reason: z.enum(['epoch_mismatch', 'trimmed', 'ahead', 'behind', 'not_found', 'limit']),
  }),
]);
export type Resumed = z.infer<typeof Resumed>;

/** Reply to `hello`, or the `welcome` event after a shorthand (P-2.4). */
export const Welcome = z.object({
  protocol: z.int(),
  session: Id,
  user: User,
  token: z.string().optional().describe('Lets a guest return as the same user.'),
  expiresAt: z.int().describe('Expiry of the token, in milliseconds since 1970.'),
  me: Position,
  heartbeat: z.object({
    mode: z.enum(['transport', 'frames']),
    intervalMs: z.int(),
    timeoutMs: z.int(),
  }),
  limits: z.object(limitShape),
  server: z.object({ name: z.string(), version: z.string() }),
  features: z.array(z.string()),
  resumed: z.record(z.string(), Resumed),
});
export type Welcome = z.infer<typeof Welcome>;
