import { execFile } from 'node:child_process';
import { appendFile, chmod, chown, mkdir, rm } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import pg from 'pg';

import { eventually } from '../eventually.js';
import { freePorts } from '../free-port.js';
import { makeScratchFolder } from '../scratch-folder.js';
import { postgresPrograms } from './programs.js';
import { ScratchProgram } from './scratch-program.js';

const run = promisify(execFile);
/** User of the processes if the tests run as root, which PostgreSQL refuses. */
const SYSTEM_USER = 'postgres';
/** User of the database. */
const ADMIN = 'admin';
/** A fast shutdown: it ends sessions and writes everything to disk. */
const STOP = 'SIGINT';

/** Options of a cluster. */
export interface ScratchPostgresOptions {
  /** Lines of postgresql.conf, by name. */
  readonly settings?: Readonly<Record<string, string>>;
}

interface Owner {
  readonly uid?: number;
  readonly gid?: number;
}

/** A PostgreSQL cluster of a test, on a free port, which syncs each commit. */
export class ScratchPostgres extends ScratchProgram {
  private constructor(
    readonly port: number,
    private readonly folder: string,
    private readonly owner: Owner,
  ) {
    const args = ['-D', join(folder, 'data'), '-p', String(port)];
    const command = join(programs(), 'postgres');
    super({ command, args, port, stopSignal: STOP, ...owner });
  }

  /** Creates and starts a cluster. */
  static async start({ settings = {} }: ScratchPostgresOptions = {}): Promise<ScratchPostgres> {
    const cluster = await ScratchPostgres.prepare();
    await cluster.runProgram('initdb', ['-U', ADMIN, '-A', 'trust', '-N', '-D', cluster.data]);
    await cluster.configure({
      listen_addresses: '127.0.0.1',
      unix_socket_directories: cluster.folder,
      fsync: 'on',
      max_connections: '100',
      ...settings,
    });
    await cluster.start();
    return cluster;
  }

  /** Address of a database of the cluster. */
  url(database = 'postgres'): string {
    return `postgres://${ADMIN}@127.0.0.1:${String(this.port)}/${database}`;
  }

  /** Waits until the server accepts connections; before, it recovers after a kill. */
  override async start(): Promise<void> {
    await super.start();
    await eventually(() => this.accepts(), 'PostgreSQL to accept connections');
  }

  /**
   * Starts a standby that follows this cluster.
   *
   * If it is synchronous, commits of this cluster wait for it from then on.
   */
  async startStandby(mode: 'synchronous' | 'asynchronous'): Promise<ScratchPostgres> {
    const standby = await ScratchPostgres.prepare();
    const source = ['-h', '127.0.0.1', '-p', String(this.port), '-U', ADMIN];
    await standby.runProgram('pg_basebackup', [...source, '-D', standby.data, '-R', '-c', 'fast']);
    const name = `standby_${String(standby.port)}`;
    await standby.configure({
      primary_conninfo: `host=127.0.0.1 port=${String(this.port)} user=${ADMIN} application_name=${name}`,
      unix_socket_directories: standby.folder,
      synchronous_standby_names: '',
    });
    await standby.start();
    await this.untilFollowed(name, 'streaming');
    if (mode === 'asynchronous') return standby;
    await this.set('synchronous_standby_names', name);
    await this.untilFollowed(name, 'streaming', 'sync');
    return standby;
  }

  /** Makes a standby a primary, and waits until it accepts writes. */
  async promote(): Promise<void> {
    await this.query('SELECT pg_promote(true, 30)');
    const writes = async () => (await this.query('SELECT pg_is_in_recovery() AS is'))[0]?.['is'];
    await eventually(async () => (await writes()) === false, 'the standby to accept writes');
  }

  /** Runs one statement in a connection of its own; returns the rows. */
  async query(statement: string): Promise<Record<string, unknown>[]> {
    const client = new pg.Client(this.url());
    client.on('error', () => undefined);
    try {
      await client.connect();
      return (await client.query<Record<string, unknown>>(statement)).rows;
    } finally {
      await client.end();
    }
  }

  /** Changes a setting of the running cluster. */
  async set(name: string, value: string): Promise<void> {
    await this.query(`ALTER SYSTEM SET ${name} = '${value}'`);
    await this.query('SELECT pg_reload_conf()');
  }

  override async dispose(): Promise<void> {
    await super.dispose();
    await rm(this.folder, { recursive: true, force: true });
  }

  private get data(): string {
    return join(this.folder, 'data');
  }

  private static async prepare(): Promise<ScratchPostgres> {
    const [port = 0] = await freePorts(1);
    const folder = await makeScratchFolder();
    const owner = await ownerOfProcesses();
    await mkdir(join(folder, 'data'), { mode: 0o700 });
    if (owner.uid !== undefined && owner.gid !== undefined) {
      await chown(folder, owner.uid, owner.gid);
      await chown(join(folder, 'data'), owner.uid, owner.gid);
    }
    await chmod(folder, 0o755);
    return new ScratchPostgres(port, folder, owner);
  }

  private async configure(settings: Readonly<Record<string, string>>): Promise<void> {
    const lines = Object.entries(settings).map(([name, value]) => `${name} = '${value}'\n`);
    await appendFile(join(this.data, 'postgresql.auto.conf'), lines.join(''));
  }

  private async runProgram(name: string, args: readonly string[]): Promise<void> {
    await run(join(programs(), name), args, { ...this.owner, cwd: '/' });
  }

  private async accepts(): Promise<boolean> {
    try {
      await this.query('SELECT 1');
      return true;
    } catch (error) {
      if (!this.isRunning) throw error;
      return false;
    }
  }

  private async untilFollowed(name: string, state: string, sync?: string): Promise<void> {
    const query = `SELECT state, sync_state FROM pg_stat_replication WHERE application_name = '${name}'`;
    const isFollowed = async () => {
      const [row] = await this.query(query);
      return row?.['state'] === state && (sync === undefined || row['sync_state'] === sync);
    };
    await eventually(isFollowed, 'the standby to follow');
  }
}

function programs(): string {
  if (postgresPrograms === undefined) throw new Error('PostgreSQL is not installed.');
  return postgresPrograms;
}

async function ownerOfProcesses(): Promise<Owner> {
  if (userInfo().uid !== 0) return {};
  const idOf = async (option: string) => Number((await run('id', [option, SYSTEM_USER])).stdout);
  return { uid: await idOf('-u'), gid: await idOf('-g') };
}
