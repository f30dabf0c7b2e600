import type { Message } from '../../protocol/models.js';
import type { BotContext } from './bot-context.js';

const EDIT_PAUSE_MS = 1_000;

/** What a handler may give back: nothing, a text, a message, or several one after another. */
export type BotReply =
  undefined | null | string | BotText | GrowingText | AsyncIterable<string | BotText>;

/** A message as a handler gives it back. */
export interface BotText {
  readonly text: string;
  /** False writes it without reference to the message that it answers. */
  readonly reply?: boolean;
  readonly notice?: boolean;
}

/** Pieces of one text that come slowly; the message grows by edits. */
export class GrowingText {
  constructor(readonly pieces: AsyncIterable<string>) {}
}

/** Makes one message of pieces that come slowly: it grows by edits, at most one a second. */
export function growing(pieces: AsyncIterable<string>): GrowingText {
  return new GrowingText(pieces);
}

/** Writes what a handler gave back. */
export async function deliver(context: BotContext, reply: unknown): Promise<void> {
  if (reply === undefined || reply === null) return;
  if (typeof reply === 'string') await answer(context, { text: reply });
  else if (reply instanceof GrowingText) await grow(context, reply.pieces);
  else if (isIterable(reply)) for await (const one of reply) await deliver(context, one);
  else if (isText(reply)) await answer(context, reply);
  else throw new TypeError('A handler gives back a text, { text }, an async iterable or nothing.');
}

async function answer(context: BotContext, { text, reply = true, notice = false }: BotText) {
  if (text === '') return;
  const isReply = reply && context.message !== null;
  await (isReply ? context.reply(text, { notice }) : context.say(text, { notice }));
}

async function grow(context: BotContext, pieces: AsyncIterable<string>): Promise<void> {
  let message: Message | undefined;
  let text = '';
  let shownAt = -Infinity;
  for await (const piece of pieces) {
    text = context.shorten(text + piece);
    if (text.trim() === '' || text === message?.text || context.now - shownAt < EDIT_PAUSE_MS)
      continue;
    message = await show(context, message, text);
    shownAt = context.now;
  }
  if (text.trim() !== '' && message?.text !== text) await show(context, message, text);
}

function show(context: BotContext, message: Message | undefined, text: string): Promise<Message> {
  return message === undefined ? context.reply(text) : context.edit(message, text);
}

function isIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

function isText(value: unknown): value is BotText {
  return (
    typeof value === 'object' && value !== null && 'text' in value && typeof value.text === 'string'
  );
}
