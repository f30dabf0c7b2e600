import { isJsonObject } from '../protocol/codec.js';
import type { Message } from '../protocol/models.js';
import type { Dialect, Emit, ServerEvent, Surroundings } from './dialect.js';
import { enter, send } from './enter.js';
import { messageLine } from './message-line.js';

function receive({ event, data }: ServerEvent, { publicRoom }: Surroundings): Emit<null>[] {
  if (event !== 'message.created') return [];
  const { room, message: sent } = data as { room: string; message: Message };
  const message = messageLine(sent);
  if (room !== publicRoom || message === null) return [];
  return [{ emit: 'message receive', data: { client: sent.sender.name, message } }];
}

/** The program realtime chat: one public room of texts with the names of their senders. */
export const realtimeChat: Dialect<null> = {
  name: 'realtime-chat',
  observer: { events: receive },

  declares: ({ event }) => event === 'message broadcast',
  begin: () => null,

  fromClient({ event, data }, listener, around) {
    if (event !== 'message broadcast') return [];
    const { message, data: text } = isJsonObject(data) ? data : {};
    return [...enter(listener, around), send(around.publicRoom, message ?? text)];
  },

  fromEvent: receive,
  fromReply: () => [],
  refuse: (error) => ({ emit: 'error', data: error }),
};
