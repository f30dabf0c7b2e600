import pg from 'pg';

import { ChaosProxy } from '../../support/chaos-proxy.js';
import { ChildServer } from '../../support/child-server.js';
import { freePorts } from '../../support/free-port.js';
import { openWire, WIRE_TRANSPORTS } from '../../support/wire-transports.js';
import type { Address } from './chaos-connection.js';

/** Short, so that the effects of a fault end within a round. */
const SETTINGS = {
  PARLANCE_DATABASE_STATEMENT_MS: '2000',
  PARLANCE_DATABASE_WAIT_MS: '5000',
  PARLANCE_LIMIT_RESUME_EVENTS: '20',
  PARLANCE_LIMIT_PRESENCE_INTERVAL_MS: '100',
};

/** A gateway in a process of its own, with its own network to PostgreSQL. */
export class GatewayNode {
  private server: ChildServer | undefined;
  private isMeantToRun = false;

  private constructor(
    readonly index: number,
    readonly port: number,
    /** The network between the gateway and PostgreSQL. */
    readonly database: ChaosProxy,
    /** The network between the gateway and a bus that is a service of its own. */
    readonly bus: ChaosProxy | undefined,
    private readonly env: Readonly<Record<string, string>>,
  ) {}

  /** Starts a node on the database that `env` names. */
  static async start(index: number, env: Readonly<Record<string, string>>): Promise<GatewayNode> {
    const database = await proxyTo(env['DATABASE_URL'] ?? '');
    const bus = env['PARLANCE_BUS'];
    const hasService = bus !== undefined && new URL(bus).host !== '';
    const { proxy, url } = hasService ? await proxyTo(bus) : { proxy: undefined, url: bus };
    const [port = 0] = await freePorts(1);
    const node = new GatewayNode(index, port, database.proxy, proxy, {
      ...SETTINGS,
      ...env,
      ...(url === undefined ? {} : { PARLANCE_BUS: url }),
      DATABASE_URL: database.url,
      PORT: String(port),
    });
    await node.start();
    return node;
  }

  /** The ways to connect, of which the first one is a plain WebSocket. */
  get addresses(): Address[] {
    return WIRE_TRANSPORTS.map((transport) => ({
      node: this.index,
      open: (listener) => openWire(transport, this.port, listener),
    }));
  }

  /** Whether the process has ended although nobody killed it. */
  get hasDied(): boolean {
    return this.isMeantToRun && this.server?.exit !== undefined;
  }

  /** The last lines that the process wrote. */
  get output(): string {
    return `${this.server?.stdout.slice(-1_500) ?? ''}${this.server?.stderr ?? ''}`;
  }

  async start(): Promise<void> {
    this.server = await ChildServer.start(this.env);
    this.isMeantToRun = true;
  }

  /** Kills the process, as `kill -9` does. */
  async kill(): Promise<void> {
    this.isMeantToRun = false;
    await this.server?.kill('SIGKILL');
  }

  /** Stops the process in its tracks; see {@link awake}. */
  freeze(): void {
    this.server?.signal('SIGSTOP');
  }

  awake(): void {
    this.server?.signal('SIGCONT');
  }

  /** Terminates the sessions of this node in PostgreSQL for which `chosen` returns true. */
  async terminateSessions(chosen: () => boolean): Promise<void> {
    const client = new pg.Client(this.directUrl);
    client.on('error', () => undefined);
    await client.connect();
    const ports = this.database.outgoingPorts.filter(chosen);
    const query =
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE client_port = ANY ($1::int[])';
    await client.query(query, [ports]);
    await client.end();
  }

  /** Ends the node for good. */
  async dispose(): Promise<void> {
    await this.kill();
    await this.database.close();
    await this.bus?.close();
  }

  /** PostgreSQL itself, not through the network of the node. */
  private get directUrl(): string {
    const url = new URL(this.env['DATABASE_URL'] ?? '');
    const { host, port } = this.database.address;
    url.hostname = host;
    url.port = String(port);
    return url.href;
  }
}

/** Starts a proxy in front of the service that a URL names; returns the URL of the proxy. */
async function proxyTo(address: string): Promise<{ proxy: ChaosProxy; url: string }> {
  const url = new URL(address);
  const port = Number(url.port === '' ? 5432 : url.port);
  const proxy = await ChaosProxy.start({ host: url.hostname, port });
  url.hostname = '127.0.0.1';
  url.port = String(proxy.port);
  return { proxy, url: url.href };
}
