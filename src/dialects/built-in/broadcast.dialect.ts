import type { ReplyData } from '../../protocol/commands.js';
import type { Message } from '../../protocol/models.js';
import type { Dialect, DialectContext, EmitStep, ServerEvent } from '../dialect.js';
import { enterDefaultRoom, messageLine, sendMessage } from './steps.js';

const REPLY = 'custom_response';

/** The legacy app "broadcast messenger": only the default room, and a reply to each sender. */
export const broadcast: Dialect<null> = {
  name: 'broadcast',
  observer: {
    greeting: { emit: 'message', data: 'Welcome! What you send is seen by everybody.' },
    events: showMessage,
  },

  declares: ({ event }) => event === 'message',
  begin: () => null,

  fromClient({ event, data }, connection, context) {
    if (event !== 'message') return [];
    return [...enterDefaultRoom(connection, context), sendMessage(context.defaultRoom, data)];
  },

  fromEvent: showMessage,

  fromReply({ to, outcome }) {
    if (to.ask !== 'message.send' || !outcome.ok) return [];
    const { message } = outcome.data as ReplyData<'message.send'>;
    return [{ emit: REPLY, data: { message: message.text, seq: message.seq } }];
  },

  refuse: (error) => ({ emit: REPLY, data: { error } }),
};

function showMessage(
  { event, data }: ServerEvent,
  { defaultRoom }: DialectContext,
): EmitStep<null>[] {
  if (event !== 'message.created') return [];
  const { room, message } = data as { room: string; message: Message };
  const line = messageLine(message);
  return room !== defaultRoom || line === null ? [] : [{ emit: 'message', data: line }];
}
