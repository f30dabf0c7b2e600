import type { Message } from '../../protocol/models.js';
import { isBlank } from '../../protocol/names.js';
import type { BotContext } from './bot-context.js';

const EDIT_PAUSE_MS = 1_000;

/** The result of a handler: nothing, a text, a message, or several of them. */
export type BotReply =
  undefined | null | string | BotText | StreamedText | AsyncIterable<string | BotText>;

/** A message that a handler returns. */
export interface BotText {
  readonly text: string;
  /** Whether to reply to the message of the event; true by default. */
  readonly reply?: boolean;
  readonly notice?: boolean;
}

/** A text that is streamed into one message. */
export class StreamedText {
  constructor(readonly pieces: AsyncIterable<string>) {}
}

/** Streams pieces of text into one message, which is edited at most once a second. */
export function stream(pieces: AsyncIterable<string>): StreamedText {
  return new StreamedText(pieces);
}

/** Writes the result of a handler. */
export async function deliver(context: BotContext, reply: unknown): Promise<void> {
  if (reply === undefined || reply === null) return;
  if (typeof reply === 'string') await answer(context, { text: reply });
  else if (reply instanceof StreamedText) await writeStreamed(context, reply.pieces);
  else if (isIterable(reply)) for await (const one of reply) await deliver(context, one);
  else if (isText(reply)) await answer(context, reply);
  else throw new TypeError('A handler must return a text, { text }, an async iterable or nothing.');
}

async function answer(context: BotContext, { text, reply = true, notice = false }: BotText) {
  if (text === '') return;
  const isReply = reply && context.message !== null;
  await (isReply ? context.reply(text, { notice }) : context.say(text, { notice }));
}

async function writeStreamed(context: BotContext, pieces: AsyncIterable<string>): Promise<void> {
  let message: Message | undefined;
  let text = '';
  let shownAt = -Infinity;
  for await (const piece of pieces) {
    text = context.shorten(text + piece);
    if (isBlank(text) || text === message?.text || context.now - shownAt < EDIT_PAUSE_MS) continue;
    message = await show(context, message, text);
    shownAt = context.now;
  }
  if (!isBlank(text) && message?.text !== text) await show(context, message, text);
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
