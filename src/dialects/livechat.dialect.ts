import type { HistoryPage } from '../protocol/pages.js';
import type { Message } from '../protocol/models.js';
import type { Dialect, Emit, ServerEvent, Surroundings } from './dialect.js';
import { enter, send } from './enter.js';
import { messageLine } from './message-line.js';

const PAGE = 100;
/** Pages of one history, each of which is a command: no more than the rate lets through at once. */
const PAGES = 50;

/** Bytes of one history: with more, a message that comes after it would end the connection. */
const BYTES = 400_000;

interface State {
  /** Lines of the history that is being read, oldest first. */
  lines: string[];
  /** Pages of it so far. */
  pages: number;
}

/** Translates what everybody in the public room is sent. */
export function showMessage(
  { event, data }: ServerEvent,
  { publicRoom }: Surroundings,
): Emit<State>[] {
  if (event !== 'message.created') return [];
  const { room, message } = data as { room: string; message: Message };
  const line = messageLine(message);
  return room !== publicRoom || line === null ? [] : [{ emit: 'show-msg', data: line }];
}

/** The program livechat: one public room of texts, with their history. */
export const livechat: Dialect<State> = {
  name: 'livechat',
  observer: { events: showMessage },

  declares: ({ event }) => event === 'send-msg' || event === 'request-all-msgs',
  begin: () => ({ lines: [], pages: 0 }),

  fromClient({ event, data }, listener, around) {
    const arrival = enter(listener, around);
    if (event === 'send-msg') return [...arrival, send(around.publicRoom, data)];
    if (event !== 'request-all-msgs') return [];
    listener.state.lines = [];
    listener.state.pages = 0;
    return [...arrival, readBefore(around, undefined, 0)];
  },

  fromEvent: showMessage,

  fromReply({ to, outcome }, { state }, around) {
    if (to.ask !== 'message.history' || !outcome.ok) return [];
    const { messages, hasMore } = outcome.data as HistoryPage;
    const lines = messages.map(messageLine).filter((line) => line !== null);
    state.lines = [...lines, ...state.lines].slice(-around.historyMessages);
    state.pages += 1;
    const shown = newest(state.lines);
    const first = messages[0]?.seq;
    const isFull =
      shown.length < state.lines.length ||
      shown.length >= around.historyMessages ||
      state.pages >= PAGES;
    if (hasMore && first !== undefined && !isFull) return [readBefore(around, first, shown.length)];
    state.lines = [];
    return [{ emit: 'show-all-msgs', data: shown }];
  },

  refuse: (error) => ({ emit: 'error', data: error }),
};

/** Leaves out the oldest of too many bytes. */
function newest(lines: readonly string[]): string[] {
  let bytes = 0;
  const tooMuch = lines.findLastIndex((line) => {
    bytes += Buffer.byteLength(JSON.stringify(line)) + 1;
    return bytes > BYTES;
  });
  return lines.slice(tooMuch + 1);
}

/** Asks for the page before a position, and for no more than is to be shown. */
function readBefore(around: Surroundings, before: number | undefined, have: number) {
  const limit = Math.min(PAGE, around.historyMessages - have);
  const data = { room: around.publicRoom, limit, ...(before === undefined ? {} : { before }) };
  return { ask: 'message.history' as const, data };
}
