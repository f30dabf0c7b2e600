import { WebSocket } from 'ws';

import type { Channel, ChannelListener, Opening } from '../channel.js';

/** Opens a raw WebSocket; `hello` may hold a name and a token. */
export async function openWebSocket(
  url: string,
  listener: ChannelListener,
  { hello = {}, headers = {} }: Opening = {},
): Promise<Channel> {
  const { name, token, ...rest } = hello;
  if (Object.keys(rest).length > 0)
    throw new Error('The shorthand of WebSocket supports only a name and a token.');
  const target = new URL(url);
  if (name !== undefined) target.searchParams.set('name', String(name));
  const bearer = token === undefined ? {} : { authorization: `Bearer ${String(token)}` };
  const socket = new WebSocket(target, 'parlance.v1', { headers: { ...headers, ...bearer } });
  socket.on('message', (data) => listener.frame(JSON.parse(String(data))));
  socket.on('close', (code, reason) => listener.closed({ code, reason: String(reason) }));
  await new Promise((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  socket.on('error', () => undefined);
  return {
    send: (frame) => {
      socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
    },
    close: () => {
      socket.close(1000);
    },
  };
}
