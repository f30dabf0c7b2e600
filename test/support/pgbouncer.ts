import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { eventually } from './eventually.js';
import { freePorts, isListening } from './free-port.js';
import { makeScratchFolder } from './scratch-folder.js';

const PROGRAM = '/usr/sbin/pgbouncer';
/** pgbouncer refuses to run as root. */
const USER = 'nobody';

/** Whether pgbouncer is installed. */
export const hasPgbouncer = existsSync(PROGRAM);

/** The pgbouncer of Debian in front of PostgreSQL. */
export class Pgbouncer {
  private constructor(
    readonly url: string,
    private readonly child: ChildProcess,
    private readonly folder: string,
  ) {}

  /** Starts a pooler; `mode` is its pool_mode, `settings` are more lines of its configuration. */
  static async start(target: string, mode: string, settings: string): Promise<Pgbouncer> {
    const { hostname, port, username } = new URL(target);
    const folder = await makeScratchFolder();
    const [listenPort = 0] = await freePorts(1);
    await writeFile(join(folder, 'users.txt'), `"${username}" ""\n`);
    const lines = [
      '[databases]',
      `* = host=${hostname} port=${port === '' ? '5432' : port}`,
      '[pgbouncer]',
      'listen_addr = 127.0.0.1',
      `listen_port = ${String(listenPort)}`,
      'unix_socket_dir =',
      'auth_type = trust',
      `auth_file = ${join(folder, 'users.txt')}`,
      `pool_mode = ${mode}`,
      settings,
    ];
    await writeFile(join(folder, 'pgbouncer.ini'), lines.join('\n'));
    await chmod(folder, 0o755);
    const user = process.getuid?.() === 0 ? ['-u', USER] : [];
    const child = spawn(PROGRAM, ['-q', ...user, join(folder, 'pgbouncer.ini')], {
      stdio: 'ignore',
    });
    await once(child, 'spawn');
    await eventually(() => isListening(listenPort), 'pgbouncer to listen');
    const url = new URL(target);
    url.hostname = '127.0.0.1';
    url.port = String(listenPort);
    return new Pgbouncer(url.href, child, folder);
  }

  /** Ends the pooler. */
  async stop(): Promise<void> {
    if (this.child.exitCode === null) {
      this.child.kill('SIGKILL');
      await once(this.child, 'exit');
    }
    await rm(this.folder, { recursive: true, force: true });
  }
}
