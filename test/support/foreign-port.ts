import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';

import type { TestServer } from './server.js';

/** A port of a server whose connections have another remote address. */
export interface ForeignPort {
  readonly port: number;
  close(): Promise<void>;
}

/** Opens a port; the server sees `address` as the remote address of its connections. */
export async function openForeignPort({ app }: TestServer, address: string): Promise<ForeignPort> {
  const http = app.getHttpServer() as Server;
  const sockets = new Set<Socket>();
  const foreign = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    Object.defineProperty(socket, 'remoteAddress', { value: address });
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    http.emit('connection', socket);
  });
  foreign.listen(0, '127.0.0.1');
  await once(foreign, 'listening');
  return {
    port: (foreign.address() as AddressInfo).port,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      foreign.close();
      await once(foreign, 'close');
    },
  };
}
