import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

import { StartError } from './start-error.js';

/**
 * Adds the settings of `.env` in the working folder to the environment, if the file exists.
 *
 * @throws StartError if it cannot be read
 */
export function loadEnvFile(): void {
  if (!existsSync('.env')) return;
  try {
    process.loadEnvFile('.env');
  } catch (error) {
    throw new StartError(
      {
        what: 'The settings file cannot be read.',
        where: `${resolve('.env')}: ${(error as Error).message}`,
        remedy: 'It must contain lines such as PORT=3000. Fix it, or move it away.',
      },
      { cause: error },
    );
  }
}
