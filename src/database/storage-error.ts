// PostgreSQL: connection exceptions, insufficient resources, operator intervention, system errors.
const POSTGRES_FAULTS = /^(08|53|57P|58|25006|XX)/;
// Node's errors of sockets and of names, and what pg and TypeORM say when a connection is gone.
const CONNECTION_FAULTS = /^(ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_|EHOST|ENET)/;
const CONNECTION_MESSAGES =
  /Connection terminated|not queryable|Client was closed|timeout exceeded|runner already released/i;

/** Tells whether an error says that the database, and not the program, failed. */
export function isStorageFault(error: unknown): boolean {
  const cause = driverError(error);
  const code = typeof cause.code === 'string' ? cause.code : '';
  if (code.startsWith('SQLITE_')) return !/^SQLITE_(CONSTRAINT|ERROR|MISUSE|RANGE)/.test(code);
  if (POSTGRES_FAULTS.test(code) || CONNECTION_FAULTS.test(code)) return true;
  return CONNECTION_MESSAGES.test(String(cause.message));
}

/** Tells whether an error is a unique key that was there already. */
export function isUniqueViolation(error: unknown): boolean {
  const { code } = driverError(error);
  return (
    code === '23505' ||
    code === 'SQLITE_CONSTRAINT_UNIQUE' ||
    code === 'SQLITE_CONSTRAINT_PRIMARYKEY'
  );
}

function driverError(error: unknown): { code?: unknown; message?: unknown } {
  if (typeof error !== 'object' || error === null) return {};
  const { driverError: inner } = error as { driverError?: unknown };
  return typeof inner === 'object' && inner !== null ? inner : error;
}
