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
      // Copies the frame, whose prototypes are of another realm and would fail comparisons.
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
