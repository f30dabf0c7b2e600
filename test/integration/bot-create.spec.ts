import { execFile } from 'node:child_process';

import { builtProgram } from '../support/built-server.js';
import { dropDatabase, freshDatabase, startServer } from '../support/server.js';

const TEST_MS = 60_000;

test(
  'bot:create before the first start creates the database, even in a separate schema',
  async () => {
    const env = await freshDatabase();
    const output = await new Promise<string>((resolve) => {
      const settings = { PATH: process.env['PATH'] ?? '', ...env };
      execFile(
        process.execPath,
        [...builtProgram('bot-create'), 'early'],
        { env: settings },
        (_, out, failure) => resolve(out + failure),
      );
    });
    expect(output).toContain('The bot early can connect with this token');
    const server = await startServer(env);
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
    await server.stop();
    await dropDatabase(env);
  },
  TEST_MS,
);
