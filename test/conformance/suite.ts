import type { Opening } from '../support/channel.js';
import type { TestClient } from '../support/client.js';
import type { TestServer } from '../support/server.js';

/** A database that a server can use. */
export type DatabaseKind = 'sqlite' | 'postgres';

/** A transport under test: how to start a server with it, and how to connect over it. */
export interface TransportUnderTest {
  readonly name: string;
  /** Clauses that cannot hold on this transport, each with the reason. */
  readonly cannot: Readonly<Record<string, string>>;
  /** Whether servers can be started with other settings; false for a server that runs elsewhere. */
  readonly managed: boolean;
  /** Database of its servers; requirements that need another one are skipped. */
  readonly database?: DatabaseKind;
  /** Starts a server; `env` adds to its settings. */
  start(env: Readonly<Record<string, string>>): Promise<RunningServer>;
}

/** A server to connect to. */
export interface RunningServer {
  /** The server in this process; absent for a server that runs elsewhere. */
  readonly server?: TestServer;
  /** HTTP URL without a trailing slash, if `server` is absent. */
  readonly url?: string;
  connect(opening?: Opening): Promise<TestClient>;
  dispose(): Promise<void>;
}

/** Test context of a requirement. */
export interface Scene {
  readonly transport: string;
  /** The server in this process; set with `settings` or on a managed transport. */
  readonly server: TestServer | undefined;
  /** HTTP URL of the server, without a trailing slash. */
  readonly url: string;
  /** Connects without a hello. */
  connect(opening?: Opening): Promise<TestClient>;
  /** Connects and says hello. */
  join(name: string, hello?: Readonly<Record<string, unknown>>): Promise<TestClient>;
  /** Returns a unique room name. */
  room(): string;
  /** Starts another server for a requirement with `settings`; it stops with the requirement. */
  start(env: Readonly<Record<string, string>>): Promise<RunningServer>;
}

/** A requirement of the protocol and its test. */
export interface Requirement {
  readonly clauses: readonly string[];
  readonly title: string;
  /** Settings that it needs; the requirement then gets its own server. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Names of the transports that it applies to; all if absent. */
  readonly only?: readonly string[];
  /** Whether it covers only what transports leave to the core; see {@link verifiesCore}. */
  readonly isCore?: boolean;
  /** The only database that it can run on, and the reason. */
  readonly needs?: { readonly database: DatabaseKind; readonly because: string };
  readonly body: (scene: Scene) => Promise<void>;
}

/** Every requirement, in the order of the protocol. */
export const requirements: Requirement[] = [];

/** Adds a requirement that verifies one or more clauses, such as `P-3.2`. */
export function verifies(
  clauses: string | readonly string[],
  title: string,
  body: (scene: Scene) => Promise<void>,
  options: Pick<Requirement, 'settings' | 'only' | 'needs'> = {},
): void {
  const list = typeof clauses === 'string' ? [clauses] : clauses;
  requirements.push({ clauses: list, title, body, ...options });
}

/**
 * Adds a requirement about what a transport leaves to the core, such as the rules of rooms, files
 * and bots (P-10.6). Parlance tests it in memory and over WebSocket only; requirements that
 * {@link verifies} adds run over every transport.
 */
export function verifiesCore(
  ...[clauses, title, body, options]: Parameters<typeof verifies>
): void {
  const list = typeof clauses === 'string' ? [clauses] : clauses;
  requirements.push({ clauses: list, title, body, ...options, isCore: true });
}
