// PostgreSQL: connection exceptions, deadlocks, insufficient resources, locks that were not granted,
// operator intervention, statements that took too long, system errors.
const POSTGRES_FAULTS = /^(08|40|53|55P03|57|58|25006|XX)/;
// Errors of Node.js about sockets and names, and messages of pg and TypeORM about lost connections.
const CONNECTION_FAULTS = /^(ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_|EHOST|ENET)/;
const CONNECTION_MESSAGES =
  /Connection terminated|not queryable|Client was closed|timeout exceeded|runner already released/i;

/** Returns whether an error is a fault of the database and not of the program. */
export function isStorageFault(error: unknown): boolean {
  const cause = driverError(error);
  const code = typeof cause.code === 'string' ? cause.code : '';
  if (code.startsWith('SQLITE_')) return !/^SQLITE_(CONSTRAINT|ERROR|MISUSE|RANGE)/.test(code);
  return POSTGRES_FAULTS.test(code) || isConnectionFault(error);
}

/** Returns whether an error means that the connection to PostgreSQL is lost. */
export function isConnectionFault(error: unknown): boolean {
  const { code, message } = driverError(error);
  if (typeof code === 'string' && /^(08|57P)/.test(code)) return true;
  return CONNECTION_FAULTS.test(String(code)) || CONNECTION_MESSAGES.test(String(message));
}

/** Returns whether an error of PostgreSQL means that another session holds a lock. */
export function isLockFault(error: unknown): boolean {
  return driverError(error).code === '55P03';
}

/**
 * Returns whether an error of PostgreSQL means that other sessions were in the way: a deadlock, a
 * lock that was not granted in time, or a conflict of transactions.
 */
export function isContention(error: unknown): boolean {
  const { code } = driverError(error);
  return code === '40P01' || code === '40001' || isLockFault(error);
}

/** Returns whether an error means that another process has locked the SQLite database. */
export function isBusyFault(error: unknown): boolean {
  const { code } = driverError(error);
  return typeof code === 'string' && code.startsWith('SQLITE_BUSY');
}

function driverError(error: unknown): { code?: unknown; message?: unknown } {
  if (typeof error !== 'object' || error === null) return {};
  const { driverError: inner } = error as { driverError?: unknown };
  return typeof inner === 'object' && inner !== null ? inner : error;
}
