import type { ReplyData } from '../protocol/commands.js';
import type { Message } from '../protocol/models.js';
import type { Dialect, Emit, ServerEvent, Surroundings } from './dialect.js';
import { enter, send } from './enter.js';
import { messageLine } from './message-line.js';

const ANSWER = 'custom_response';

function message({ event, data }: ServerEvent, { publicRoom }: Surroundings): Emit<null>[] {
  if (event !== 'message.created') return [];
  const { room, message: sent } = data as { room: string; message: Message };
  const line = messageLine(sent);
  return room !== publicRoom || line === null ? [] : [{ emit: 'message', data: line }];
}

/** The program broadcast messenger: texts for everybody, and an answer to who posts. */
export const broadcast: Dialect<null> = {
  name: 'broadcast',
  observer: {
    greeting: { emit: 'message', data: 'Welcome! What you send is seen by everybody.' },
    events: message,
  },

  declares: ({ event }) => event === 'message',
  begin: () => null,

  fromClient({ event, data }, listener, around) {
    if (event !== 'message') return [];
    return [...enter(listener, around), send(around.publicRoom, data)];
  },

  fromEvent: message,

  fromReply({ to, outcome }) {
    if (to.ask !== 'message.send' || !outcome.ok) return [];
    const { message: sent } = outcome.data as ReplyData<'message.send'>;
    return [{ emit: ANSWER, data: { message: sent.text, seq: sent.seq } }];
  },

  refuse: (error) => ({ emit: ANSWER, data: { error } }),
};
