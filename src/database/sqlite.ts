import { createRequire } from 'node:module';

import type Database from 'better-sqlite3';

import { StartError } from '../config/start-error.js';

const NODE_API_OF_13 = 10;

/**
 * The better-sqlite3 that fits the Node.js it runs on.
 *
 * 12 ends the process on Node.js 24.19 and newer when a statement is collected; 13 needs
 * Node-API 10, which Node.js 20 does not have (it would end the process as well). Both are
 * optional dependencies, so that npm skips 13 on Node.js 20 without a warning.
 *
 * @throws StartError that says what to install, where the package is missing
 */
export const Sqlite: typeof Database = load();

function load(): typeof Database {
  const require = createRequire(import.meta.url);
  const fits13 = Number(process.versions.napi) >= NODE_API_OF_13;
  try {
    return require(fits13 ? 'better-sqlite3' : 'better-sqlite3-12') as typeof Database;
  } catch (error) {
    const newer = fits13 ? '' : 'Use Node.js 22.14 or newer, or install';
    throw new StartError(
      {
        what: `SQLite for Node.js ${process.versions.node} is not installed.`,
        remedy: `${newer || 'Install'} a C++ compiler and Python, then run npm ci again.`,
      },
      { cause: error },
    );
  }
}
