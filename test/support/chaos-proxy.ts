import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

import { Flow, type FlowSettings } from './flow.js';

/** Data from a client that the proxy holds back from the server. */
export interface HeldData {
  /** Passes the data on to the server; its answer is dropped. */
  release(): void;
}

/** A direction through a proxy. */
export type Direction = 'to server' | 'to client';

const BOTH: readonly Direction[] = ['to server', 'to client'];

interface Trap {
  readonly test: (sent: Buffer) => boolean;
  readonly caught: (held: HeldData) => void;
}

/** A network between a client and a server that fails on request. */
export class ChaosProxy {
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();
  /** Connections to the server whose client was disconnected. */
  private readonly held = new WeakSet<Socket>();
  /** Sockets to the server, from which its answers are read. */
  private readonly fromServer = new Set<Socket>();
  /** The directions of the open connections. */
  private readonly flows = new Map<Flow, Direction>();
  private readonly shapes: Record<Direction, FlowSettings> = { 'to server': {}, 'to client': {} };
  private isDown = false;
  private isStalled = false;
  private trap: Trap | undefined;
  private stallTest: ((sent: Buffer) => boolean) | undefined;
  private stallReplyTest: ((sent: Buffer) => boolean) | undefined;

  private constructor(
    private readonly target: { host: string; port: number },
    private listeningPort = 0,
  ) {
    this.server = createServer((client) => this.accept(client));
  }

  /** Starts a proxy in front of a server. */
  static async start(target: { host: string; port: number }): Promise<ChaosProxy> {
    const proxy = new ChaosProxy({ ...target });
    await proxy.admit();
    return proxy;
  }

  get port(): number {
    return this.listeningPort;
  }

  /** Where the server is. */
  get address(): Readonly<{ host: string; port: number }> {
    return this.target;
  }

  /** The ports from which the proxy has connected to the server. */
  get outgoingPorts(): number[] {
    return [...this.fromServer].map(({ localPort }) => localPort ?? 0);
  }

  /** Connects to another server from now on, as after a failover. */
  retarget(port: number): void {
    this.target.port = port;
  }

  /** Breaks all open connections; new ones work. */
  disconnect(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  /** Refuses new connections until {@link admit}; open ones work. */
  refuse(): void {
    this.server.close();
  }

  /** Accepts new connections again, on the same port. */
  async admit(): Promise<void> {
    this.server.listen(this.listeningPort, '127.0.0.1');
    await once(this.server, 'listening');
    this.listeningPort = (this.server.address() as AddressInfo).port;
  }

  /**
   * Drops all data without closing connections, in one direction or both, until {@link restore}.
   *
   * An open connection that lost data stays silent, until {@link disconnect}.
   */
  swallow(...directions: readonly Direction[]): void {
    this.shape({ swallows: true }, directions);
  }

  /** Delays all data, in one direction or both, until {@link restore}. */
  delay(delayMs: number, ...directions: readonly Direction[]): void {
    this.shape({ delayMs }, directions);
  }

  /** Limits the rate of each connection, in one direction or both, until {@link restore}. */
  throttle(bytesPerSecond: number, ...directions: readonly Direction[]): void {
    this.shape({ bytesPerSecond }, directions);
  }

  /** Breaks each connection after so many more bytes of one direction, until {@link restore}. */
  cutAfter(bytes: number, direction: Direction): void {
    this.shape({ cutAfterBytes: bytes }, [direction]);
  }

  /** Passes all data again as it comes; nothing waits for {@link holdNext} any more. */
  restore(): void {
    this.trap = undefined;
    this.shape({}, BOTH);
  }

  /** Breaks all connections, and each new one until {@link repair}. */
  cut(): void {
    this.isDown = true;
    this.disconnect();
  }

  /** Accepts connections again. */
  repair(): void {
    this.isDown = false;
  }

  /** Stops passing data to clients, without closing connections, until {@link resume}. */
  stall(): void {
    this.isStalled = true;
    for (const socket of this.fromServer) socket.pause();
  }

  /** Calls {@link stall} once data passes the test; the server still gets that data. */
  stallAfter(test: (sent: Buffer) => boolean): void {
    this.stallTest = test;
  }

  /**
   * Stops passing data to a client, on each connection that sent data that passes the test, until
   * {@link resume}.
   */
  stallReplies(test: (sent: Buffer) => boolean): void {
    this.stallReplyTest = test;
  }

  /** Serves new connections again; stalled connections stay stalled. */
  resumeNew(): void {
    this.isStalled = false;
    this.fromServer.clear();
  }

  /** Passes all data again. */
  resume(): void {
    this.isStalled = false;
    this.stallReplyTest = undefined;
    for (const socket of this.fromServer) socket.resume();
  }

  /** Drops all data in both directions on the open connections, permanently. */
  blackHole(): void {
    for (const socket of this.sockets) socket.pause();
    this.fromServer.clear();
  }

  /**
   * Waits for the next data that passes the test, holds it back, and disconnects its sender.
   *
   * The sender cannot know whether the data arrived.
   */
  holdNext(test: (sent: Buffer) => boolean): Promise<HeldData> {
    return new Promise((caught) => {
      this.trap = { test, caught };
    });
  }

  /** Breaks all connections and stops. */
  async close(): Promise<void> {
    this.cut();
    if (!this.server.listening) return;
    await new Promise((resolve) => this.server.close(resolve));
  }

  private accept(client: Socket): void {
    this.track(client);
    if (this.isDown) {
      client.destroy();
      return;
    }
    const server = connect(this.target);
    this.track(server);
    this.fromServer.add(server);
    if (this.isStalled) server.pause();
    const toServer = this.openFlow('to server', client, server);
    const toClient = this.openFlow('to client', server, client);
    client.on('data', (sent) => {
      if (this.stallReplyTest?.(sent) === true) server.pause();
      if (this.trap?.test(sent) === true) this.hold(sent, client, server);
      else toServer.pass(sent);
      if (this.stallTest?.(sent) === true) {
        this.stallTest = undefined;
        this.stall();
      }
    });
    server.on('data', (sent) => toClient.pass(sent));
    client.once('close', () => {
      if (!this.held.has(server)) toServer.end();
    });
    server.once('close', () => {
      this.fromServer.delete(server);
      toClient.end();
    });
  }

  private openFlow(direction: Direction, from: Socket, to: Socket): Flow {
    const cut = () => {
      from.destroy();
      to.destroy();
    };
    const flow = new Flow(from, to, cut);
    flow.use(this.shapes[direction]);
    this.flows.set(flow, direction);
    to.once('close', () => this.flows.delete(flow));
    return flow;
  }

  private shape(settings: FlowSettings, directions: readonly Direction[]): void {
    for (const direction of directions.length === 0 ? BOTH : directions) {
      this.shapes[direction] = settings;
      for (const [flow, way] of this.flows) if (way === direction) flow.use(settings);
    }
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
