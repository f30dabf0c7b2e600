import { toFolderError } from '../config/folder-error.js';
import { StartError } from '../config/start-error.js';
import type { Config } from '../config/config.js';
import { sqliteFile } from './data-source.js';

type Cause = readonly [codes: RegExp, what: string, remedy: string];

/** For errors of migrations on tables of another program, or tables that were changed. */
const FOREIGN_TABLES = [
  'The tables there are not those of Parlance, or were changed by hand.',
  'Restore a backup, or start with an empty database.',
] as const;

const POSTGRES_CAUSES: readonly Cause[] = [
  [
    /^(ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|ECONNRESET|ETIMEDOUT|EPIPE|ENOENT|timeout)/,
    'PostgreSQL cannot be reached.',
    'Start it, or correct the host and port in DATABASE_URL.',
  ],
  [/^(ENOTFOUND|EAI_)/, 'The host of PostgreSQL is unknown.', 'Correct the host in DATABASE_URL.'],
  [
    /^(57014|55P03|25P0[34]|57P05|Query read timeout|Connection terminated|Client )/,
    'PostgreSQL did not answer in time, or ended the connection.',
    'Check its log, end sessions that hold locks, and raise the time limits of the user.',
  ],
  [/^57P0/, 'PostgreSQL is starting or stopping.', 'Start the server again in a moment.'],
  [/^28/, 'PostgreSQL refuses the user or password.', 'Correct them in DATABASE_URL.'],
  [/^3D000/, 'The database does not exist.', 'Create it, or correct its name in DATABASE_URL.'],
  [
    /^42501/,
    'The user may not create tables there.',
    'Grant CREATE on the database or schema, or name another PARLANCE_DATABASE_SCHEMA.',
  ],
  [
    /^53/,
    'PostgreSQL has no room for more connections.',
    'Raise its max_connections, or stop other programs that use it.',
  ],
  [
    /^25006/,
    'PostgreSQL is read-only.',
    'Name the primary server in DATABASE_URL, not a replica; ' +
      'or reset default_transaction_read_only for the user and the database.',
  ],
  [
    /SSL|CERT|certificate/i,
    'PostgreSQL and the server do not agree on TLS.',
    'Set sslmode in DATABASE_URL, such as ?sslmode=require or ?sslmode=disable.',
  ],
  [/^(42|23)/, ...FOREIGN_TABLES],
];

const SQLITE_CAUSES: readonly Cause[] = [
  [
    /^SQLITE_(CORRUPT|NOTADB)/,
    'The database is damaged.',
    'Restore a backup, or move the file away to start with an empty database.',
  ],
  [
    /^SQLITE_(READONLY|PERM|AUTH|CANTOPEN)/,
    'This user may not write to the database.',
    'Give it write access to the file and its folder, or set PARLANCE_DATA_DIR to another folder.',
  ],
  [/^SQLITE_FULL/, 'The disk of the database is full.', 'Free some space.'],
  [
    /^SQLITE_(BUSY|LOCKED)/,
    'Another program holds a lock on the database.',
    'Stop it: a backup, a database browser or a sqlite3 shell, for instance.',
  ],
  [
    /^SQLITE_IOERR/,
    'The disk failed while the database was opened.',
    'Check the disk, and whether the file system supports locks and shared memory.',
  ],
  [/^SQLITE_(ERROR|CONSTRAINT|SCHEMA|MISMATCH)/, ...FOREIGN_TABLES],
];

/**
 * Converts an error from opening the database into one for the operator.
 *
 * @returns a {@link StartError}, or the error itself if its cause is another
 */
export function toOpenError(error: unknown, config: Config): unknown {
  if (error instanceof StartError) return error;
  const file = sqliteFile(config);
  const { code, message } = causeOf(error);
  const causes = file === null ? POSTGRES_CAUSES : SQLITE_CAUSES;
  const found = causes.find(([codes]) => codes.test(code) || (code === '' && codes.test(message)));
  if (found === undefined) {
    return file === null ? error : toFolderError(error, config.dataDir, 'PARLANCE_DATA_DIR');
  }
  const [, what, remedy] = found;
  const where = file === null ? addressOf(config.databaseUrl) : `${file} (PARLANCE_DATA_DIR)`;
  return new StartError({ what, where: `${where}: ${message}`, remedy }, { cause: error });
}

/** Returns code and message of the error of the driver, without the statement and its values. */
function causeOf(error: unknown): { code: string; message: string } {
  if (typeof error !== 'object' || error === null) return { code: '', message: String(error) };
  const { driverError = error } = error as { driverError?: unknown };
  const { code, message, errors } = driverError as {
    code?: unknown;
    message?: unknown;
    errors?: readonly Error[];
  };
  const text = typeof message === 'string' ? message : '';
  return {
    code: typeof code === 'string' ? code : '',
    // Node leaves the message empty if several addresses of a name were tried.
    message: text === '' ? (errors ?? []).map((one) => one.message).join(', ') : text,
  };
}

/** Returns host, port and database of a URL; never its user and password. */
function addressOf(databaseUrl = ''): string {
  const { host, pathname } = new URL(databaseUrl);
  return `${host}${pathname} (DATABASE_URL)`;
}
