import { encodeOnce, encodeValue } from '../../protocol/codec.js';
import { ProtocolError } from '../../protocol/errors.js';
import type { Call } from '../connections/call.js';

/** Bytes of text for one token: a text of 4,000 letters costs one, 4,000 emoji cost four. */
const BYTES_PER_TOKEN = 4_096;
const MAX_BYTES_PER_UNIT = 3;

/** Returns the number of tokens that a message or another change costs. */
export function tokensOf(data: unknown): number {
  const { text } = data as { text?: unknown };
  if (typeof text !== 'string' || text.length * MAX_BYTES_PER_UNIT <= BYTES_PER_TOKEN) return 1;
  return Math.max(1, Math.ceil(Buffer.byteLength(text) / BYTES_PER_TOKEN));
}

/** Charges tokens to the message rates of user and address; returns a refusal, if any. */
export function chargeMessage(
  { actor, connection }: Call,
  tokens: number,
): ProtocolError | undefined {
  const userMs = actor.messageBucket.consume(tokens);
  if (userMs > 0) return rateLimited(userMs, 'messages');
  const addressMs = connection.budget?.messages.consume(tokens) ?? 0;
  if (addressMs === 0) return undefined;
  actor.messageBucket.refund(tokens);
  return rateLimited(addressMs, 'addressMessages');
}

/** Refunds the tokens of a message that turned out to be a repeat. */
export function refundMessage({ actor, connection }: Call, tokens: number): void {
  actor.messageBucket.refund(tokens);
  connection.budget?.messages.refund(tokens);
}

/**
 * Requires that the user and the address have not read too much (P-9.10).
 *
 * @throws ProtocolError `rate_limited`
 */
export function requireReadBudget({ actor, connection }: Call): void {
  const userMs = actor.readBucket.waitMs();
  if (userMs > 0) throw rateLimited(userMs, 'reads');
  const addressMs = connection.budget?.reads.waitMs() ?? 0;
  if (addressMs > 0) throw rateLimited(addressMs, 'addressReads');
}

/** Charges the bytes of a reply to the read budgets of the user and the address. */
export function chargeRead({ actor, connection }: Call, reply: unknown): void {
  if (typeof reply !== 'object' || reply === null) return;
  // Encodes the reply now instead of when it is sent; it is encoded only once either way.
  const bytes = Buffer.byteLength(encodeValue(encodeOnce(reply)));
  actor.readBucket.charge(bytes);
  connection.budget?.reads.charge(bytes);
}

function rateLimited(retryAfterMs: number, bucket: string): ProtocolError {
  return new ProtocolError('rate_limited', { retryAfterMs, details: { bucket } });
}
