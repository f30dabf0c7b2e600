import { isJsonObject } from '../../protocol/codec.js';
import type { Message } from '../../protocol/models.js';
import type { Dialect, DialectContext, EmitStep, ServerEvent } from '../dialect.js';
import { enterDefaultRoom, messageLine, sendMessage } from './steps.js';

/** The legacy app "realtime-chat": only the default room; each text carries the name of its sender. */
export const realtimeChat: Dialect<null> = {
  name: 'realtime-chat',
  observer: { events: showMessage },

  declares: ({ event }) => event === 'message broadcast',
  begin: () => null,

  fromClient({ event, data }, connection, context) {
    if (event !== 'message broadcast') return [];
    const { message, data: text } = isJsonObject(data) ? data : {};
    return [
      ...enterDefaultRoom(connection, context),
      sendMessage(context.defaultRoom, message ?? text),
    ];
  },

  fromEvent: showMessage,
  fromReply: () => [],
  refuse: (error) => ({ emit: 'error', data: error }),

  http({ path, root }) {
    if (path === '/hello') return { status: 200, html: 'Hello World' };
    return { status: 404, html: notFound(root) };
  },
};

function showMessage(
  { event, data }: ServerEvent,
  { defaultRoom }: DialectContext,
): EmitStep<null>[] {
  if (event !== 'message.created') return [];
  const { room, message: sent } = data as { room: string; message: Message };
  const message = messageLine(sent);
  if (room !== defaultRoom || message === null) return [];
  return [{ emit: 'message receive', data: { client: sent.sender.name, message } }];
}

function notFound(root: string): string {
  return `<!doctype html>
<html lang="en">
  <title>Not found</title>
  <h1>Not found</h1>
  <p>There is no page at this address. <a href="${root}/">Open the chat</a></p>
</html>
`;
}
