import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** Something that a client sent and that the proxy keeps from the server. */
export interface Held {
  /** Lets the server have it after all, its answer to nobody. */
  release(): void;
}

interface Trap {
  readonly test: (sent: Buffer) => boolean;
  readonly caught: (held: Held) => void;
}

/** A network between a client and a server that fails when it is told to. */
export class ChaosProxy {
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();
  /** Connections to the server whose client was broken off from. */
  private readonly held = new WeakSet<Socket>();
  /** The sides of connections from which the server is read. */
  private readonly fromServer = new Set<Socket>();
  private isCut = false;
  private isStalled = false;
  private trap: Trap | undefined;

  private constructor(private readonly target: { host: string; port: number }) {
    this.server = createServer((client) => this.connected(client));
  }

  /** Starts to pass on what goes to a server. */
  static async start(target: { host: string; port: number }): Promise<ChaosProxy> {
    const proxy = new ChaosProxy(target);
    await new Promise<void>((resolve) => proxy.server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Breaks every connection, and each new one until {@link mend}. */
  cut(): void {
    this.isCut = true;
    for (const socket of this.sockets) socket.destroy();
  }

  /** Lets connections pass again. */
  mend(): void {
    this.isCut = false;
  }

  /** Lets nothing through to clients, but leaves connections open, until {@link flow}. */
  stall(): void {
    this.isStalled = true;
    for (const socket of this.fromServer) socket.pause();
  }

  /** Lets everything through again. */
  flow(): void {
    this.isStalled = false;
    for (const socket of this.fromServer) socket.resume();
  }

  /**
   * Waits for the next thing sent that fits, holds it back, and breaks off towards its sender.
   *
   * So the sender cannot know whether it arrived.
   */
  holdNext(test: (sent: Buffer) => boolean): Promise<Held> {
    return new Promise((caught) => {
      this.trap = { test, caught };
    });
  }

  /** Stops. */
  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private connected(client: Socket): void {
    this.track(client);
    if (this.isCut) {
      client.destroy();
      return;
    }
    const server = connect(this.target);
    this.track(server);
    this.fromServer.add(server);
    if (this.isStalled) server.pause();
    client.on('data', (sent) => {
      if (this.trap?.test(sent) === true) this.hold(sent, client, server);
      else server.write(sent);
    });
    server.on('data', (sent) => client.write(sent));
    client.once('close', () => {
      if (!this.held.has(server)) server.destroy();
    });
    server.once('close', () => {
      this.fromServer.delete(server);
      client.destroy();
    });
  }

  private hold(sent: Buffer, client: Socket, server: Socket): void {
    const trap = this.trap;
    this.trap = undefined;
    this.held.add(server);
    client.destroy();
    trap?.caught({
      release: () => {
        server.once('data', () => server.end());
        server.write(sent);
      },
    });
  }

  private track(socket: Socket): void {
    this.sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => this.sockets.delete(socket));
  }
}
