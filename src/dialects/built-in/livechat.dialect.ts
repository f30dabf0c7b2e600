import type { Message } from '../../protocol/models.js';
import type { HistoryPage } from '../../protocol/pages.js';
import type { CommandStep, Dialect, DialectContext, EmitStep, ServerEvent } from '../dialect.js';
import { enterDefaultRoom, messageLine, sendMessage } from './steps.js';

const PAGE_MESSAGES = 100;
/** Pages of one history. Each page is a command, so their number stays below the rate limit. */
const MAX_PAGES = 50;
/** Bytes of one history. A larger one would let the next message exceed the backlog limit. */
const MAX_BYTES = 400_000;

interface State {
  /** Lines read so far, oldest first. */
  lines: string[];
  /** Number of pages read so far. */
  pages: number;
}

/** The legacy app "livechat": only texts in the default room, with a history. */
export const livechat: Dialect<State> = {
  name: 'livechat',
  observer: { events: showMessage },

  declares: ({ event }) => event === 'send-msg' || event === 'request-all-msgs',
  begin: () => ({ lines: [], pages: 0 }),

  fromClient({ event, data }, connection, context) {
    if (event === 'send-msg') {
      return [...enterDefaultRoom(connection, context), sendMessage(context.defaultRoom, data)];
    }
    if (event !== 'request-all-msgs') return [];
    connection.state.lines = [];
    connection.state.pages = 0;
    // A page that only reads must not create a guest.
    const entry = connection.hearsDefaultRoom ? [] : enterDefaultRoom(connection, context);
    return [...entry, readBefore(context, undefined, 0)];
  },

  fromEvent: showMessage,

  fromReply({ to, outcome }, { state }, context) {
    if (to.ask !== 'message.history' || !outcome.ok) return [];
    const { messages, hasMore } = outcome.data as HistoryPage;
    const lines = messages.map(messageLine).filter((line) => line !== null);
    state.lines = [...lines, ...state.lines].slice(-context.historyMessages);
    state.pages += 1;
    const shown = newestLines(state.lines);
    const first = messages[0]?.seq;
    const isFull =
      shown.length < state.lines.length ||
      shown.length >= context.historyMessages ||
      state.pages >= MAX_PAGES;
    if (hasMore && first !== undefined && !isFull) {
      return [readBefore(context, first, shown.length)];
    }
    state.lines = [];
    return [{ emit: 'show-all-msgs', data: shown }];
  },

  refuse: (error) => ({ emit: 'error', data: error }),
};

function showMessage(
  { event, data }: ServerEvent,
  { defaultRoom }: DialectContext,
): EmitStep<State>[] {
  if (event !== 'message.created') return [];
  const { room, message } = data as { room: string; message: Message };
  const line = messageLine(message);
  return room !== defaultRoom || line === null ? [] : [{ emit: 'show-msg', data: line }];
}

/** Drops the oldest lines beyond {@link MAX_BYTES}. */
function newestLines(lines: readonly string[]): string[] {
  let bytes = 0;
  const lastDropped = lines.findLastIndex((line) => {
    bytes += Buffer.byteLength(JSON.stringify(line)) + 1;
    return bytes > MAX_BYTES;
  });
  return lines.slice(lastDropped + 1);
}

/** Returns the command that reads the page before a position, with no more than is still shown. */
function readBefore(
  { historyMessages, defaultRoom }: DialectContext,
  before: number | undefined,
  lineCount: number,
): CommandStep {
  const limit = Math.min(PAGE_MESSAGES, historyMessages - lineCount);
  const data = { room: defaultRoom, limit, ...(before === undefined ? {} : { before }) };
  return { ask: 'message.history', data };
}
