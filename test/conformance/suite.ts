import type { Opening } from '../support/channel.js';
import type { TestClient } from '../support/client.js';
import type { TestServer } from '../support/server.js';

/** A database that a server can store in. */
export type DatabaseKind = 'sqlite' | 'postgres';

/** A transport under test: how to start a server with it, and how to connect by it. */
export interface TransportUnderTest {
  readonly name: string;
  /** Clauses that cannot hold on it, each with the reason. */
  readonly cannot: Readonly<Record<string, string>>;
  /** Whether a server can be started with other settings; not so for one judged from outside. */
  readonly managed: boolean;
  /** What its servers store in; what needs another database is skipped. */
  readonly database?: DatabaseKind;
  /** Gives a server; `env` adds to its settings. */
  start(env: Readonly<Record<string, string>>): Promise<RunningServer>;
}

/** A server to connect to. */
export interface RunningServer {
  /** The server in this process; absent for one judged from outside. */
  readonly server?: TestServer;
  /** Where it speaks HTTP, without a slash at the end, if that is not told by `server`. */
  readonly url?: string;
  connect(opening?: Opening): Promise<TestClient>;
  dispose(): Promise<void>;
}

/** What the body of a requirement works with. */
export interface Scene {
  readonly transport: string;
  /** The server in this process; only with `settings`, or on a managed transport. */
  readonly server: TestServer | undefined;
  /** Where the server speaks HTTP, without a slash at the end. */
  readonly url: string;
  /** Connects without a hello. */
  connect(opening?: Opening): Promise<TestClient>;
  /** Connects and says hello. */
  join(name: string, hello?: Readonly<Record<string, unknown>>): Promise<TestClient>;
  /** Gives a room name that nothing else uses. */
  room(): string;
  /** Starts one more server, for a requirement with `settings`; it ends with the requirement. */
  start(env: Readonly<Record<string, string>>): Promise<RunningServer>;
}

/** A requirement of the protocol and how it is tried. */
export interface Requirement {
  readonly clauses: readonly string[];
  readonly title: string;
  /** Settings that it needs; it then has a server to itself. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Transports that it is about, by name; all of them if absent. */
  readonly only?: readonly string[];
  /** The one database that it can be tried on, and why on no other. */
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
