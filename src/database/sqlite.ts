import { createRequire } from 'node:module';

import type Database from 'better-sqlite3';

const NODE_API_OF_13 = 10;

/**
 * The better-sqlite3 that fits the Node it runs on.
 *
 * 12 ends the process on Node 24.19 and newer when a statement is collected; 13 needs
 * Node-API 10, which Node 20 does not have (it would end the process as well).
 *
 * @throws Error that says what to install, where 12 is needed and could not be built
 */
export const Sqlite: typeof Database = load();

function load(): typeof Database {
  const require = createRequire(import.meta.url);
  if (Number(process.versions.napi) >= NODE_API_OF_13)
    return require('better-sqlite3') as typeof Database;
  try {
    return require('better-sqlite3-12') as typeof Database;
  } catch (error) {
    throw new Error(
      `SQLite for Node ${process.versions.node} was not installed: use Node 22.14 or newer, ` +
        'or install a C++ compiler and Python, then run npm ci again.',
      { cause: error },
    );
  }
}
