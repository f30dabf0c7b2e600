import { loadEnvFile } from './config/env-file.js';
import { checkOpenFiles } from './config/open-files.js';
import { exitOnError } from './server/exit-on-error.js';

/** Starts the standalone server with the settings of the environment and of `.env`. */
async function main(): Promise<void> {
  // Checked before other imports, which fail at random if the limit is too low.
  checkOpenFiles();
  loadEnvFile();
  const { runServer } = await import('./server/server.js');
  await runServer(process.env);
}

main().catch(exitOnError);
