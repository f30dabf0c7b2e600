import { io } from 'socket.io-client';

import type { Channel, ChannelListener, Opening } from '../channel.js';

interface Command {
  readonly id?: unknown;
  readonly cmd: string;
  readonly data?: unknown;
}

/** Opens a Socket.IO connection over the given transports of engine.io. */
export async function openSocketIo(
  url: string,
  transports: ('websocket' | 'polling')[],
  listener: ChannelListener,
  { hello, headers = {} }: Opening = {},
): Promise<Channel> {
  const socket = io(url, {
    transports,
    forceNew: true,
    reconnection: false,
    extraHeaders: { ...headers },
    ...(hello === undefined ? {} : { auth: { ...hello } }),
  });
  socket.onAny((event: string, data: unknown) => listener.frame({ event, data }));
  socket.on('disconnect', (reason, details) => {
    const seen = details as { context?: { code?: number } } | undefined;
    listener.closed({ code: seen?.context?.code ?? 1005, reason });
  });
  await new Promise((resolve, reject) => {
    socket.once('connect', () => resolve(undefined));
    socket.once('connect_error', reject);
  });
  return {
    send: (frame) => {
      const { id, cmd, data } = frame as Command;
      const values = data === undefined ? [] : [data];
      if (id === undefined) socket.emit(cmd, ...values);
      else {
        socket.emit(cmd, ...values, (outcome: object) => listener.frame({ re: id, ...outcome }));
      }
    },
    close: () => {
      socket.disconnect();
    },
  };
}
