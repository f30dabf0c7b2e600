import type { InMemoryTransport } from '#src/transports/in-memory/in-memory.transport.js';

import type { Channel, ChannelListener, Opening } from '../channel.js';

/** Opens an in-memory connection. */
export function openInMemory(
  transport: InMemoryTransport,
  listener: ChannelListener,
  { hello }: Opening = {},
): Promise<Channel> {
  const connection = transport.connect(
    {
      // A copy of this realm: what the server clones has prototypes that no test can compare.
      frame: (frame) => listener.frame(JSON.parse(JSON.stringify(frame))),
      closed: (code, reason) => listener.closed({ code, reason }),
    },
    hello,
  );
  return Promise.resolve({
    send: (frame) => connection.send(frame),
    close: () => connection.close(),
  });
}
