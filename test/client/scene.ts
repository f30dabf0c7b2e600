import type { CommandIntake } from '#src/chat/commands/command-intake.js';
import type { Connection } from '#src/chat/connections/connection.js';
import { OpenConnections } from '#src/chat/open-connections.js';

import type { ChatOptions } from '../../client/index.js';
import { ChaosProxy } from '../support/chaos-proxy.js';
import { openWebSocket } from '../support/channels/websocket.channel.js';
import { TestClient } from '../support/client.js';
import { eventually } from '../support/eventually.js';
import { startServer, type Extras, type TestServer } from '../support/server.js';
import { WatchedChat } from './watched-chat.js';

/** The carriers of the client, with the options that select them. */
export const CARRIERS = {
  websocket: { transport: 'websocket' },
  'socket.io websocket': { transport: 'socket.io', socketIo: { transports: ['websocket'] } },
  'socket.io polling': { transport: 'socket.io', socketIo: { transports: ['polling'] } },
} as const satisfies Record<string, Partial<ChatOptions>>;

/** Name of a carrier. */
export type Carrier = keyof typeof CARRIERS;

/** Names of all carriers. */
export const ALL_CARRIERS = Object.keys(CARRIERS) as Carrier[];

/** A server, a network that tests can break, and clients. */
export class Scene {
  private readonly chats: WatchedChat[] = [];
  private readonly clients: { close(): Promise<void> }[] = [];

  private constructor(
    public server: TestServer,
    readonly proxy: ChaosProxy,
  ) {}

  /** Starts a server; `env` adds to its settings. */
  static async start(env: Readonly<Record<string, string>> = {}, extras?: Extras): Promise<Scene> {
    const server = await startServer(env, extras);
    return new Scene(server, await ChaosProxy.start({ host: '127.0.0.1', port: server.port }));
  }

  /** Address of the server behind the network that can be broken. */
  get url(): string {
    return `http://127.0.0.1:${String(this.proxy.port)}`;
  }

  /** Creates a client behind the network. */
  chat(carrier: Carrier, options: Partial<ChatOptions> = {}): WatchedChat {
    const watched = new WatchedChat({ url: this.url, ...CARRIERS[carrier], ...options });
    this.chats.push(watched);
    this.clients.push(watched.chat);
    return watched;
  }

  /** Creates a client that has joined a room. */
  async member(
    carrier: Carrier,
    room: string,
    options: Partial<ChatOptions> = {},
  ): Promise<WatchedChat> {
    const watched = this.chat(carrier, options);
    watched.cut = await watched.chat.call('room.join', { room, create: true });
    return watched;
  }

  /** Connects a user who sends plain frames, without the network in between. */
  async bystander(name = 'rob', hello: object = {}): Promise<TestClient> {
    const client = await TestClient.connect((listener) =>
      openWebSocket(`${this.server.url}/ws`, listener),
    );
    this.clients.push(client);
    await client.ok('hello', { protocol: 1, name, ...hello });
    return client;
  }

  /** Returns the server's side of the connection of a user. */
  connectionOf({ chat }: WatchedChat): Connection {
    const id = chat.welcome?.user.id;
    const connection = this.connections().find(({ session }) => session?.user.id === id);
    if (connection === undefined) throw new Error('There is no connection of that user.');
    return connection;
  }

  /** Returns the intake of the commands of a user. */
  intakeOf(chat: WatchedChat): CommandIntake {
    const intake = this.server.app.get(OpenConnections).intakeOf(this.connectionOf(chat));
    if (intake === undefined) throw new Error('The connection is closed.');
    return intake;
  }

  /** Starts a server on the same database and port. */
  async restart(): Promise<void> {
    const { env, port } = this.server;
    this.server = await startServer({ ...env, PORT: String(port) });
  }

  private connections(): Connection[] {
    return [...this.server.app.get(OpenConnections).all()];
  }

  /** Closes everything. */
  async dispose(): Promise<void> {
    await Promise.all(this.clients.map((client) => client.close()));
    // A polling client closes with a separate request.
    const sessions = new Set(this.chats.map(({ chat }) => chat.welcome?.session));
    const isOpen = () => this.connections().some(({ session }) => sessions.has(session?.id));
    await eventually(() => !isOpen(), 'the end of all connections');
    await this.server.dispose();
    await this.proxy.close();
  }
}
