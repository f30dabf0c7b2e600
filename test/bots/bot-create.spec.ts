import { execFile } from 'node:child_process';

import { builtProgram } from '../support/built-server.js';
import { freshDatabase, dropDatabase } from '../support/server.js';

let env: Awaited<ReturnType<typeof freshDatabase>>;

beforeEach(async () => {
  env = await freshDatabase();
});
afterEach(() => dropDatabase(env));

/** Registers a bot as an operator does; returns the output and whether it failed. */
function create(
  name: string,
  more: Readonly<Record<string, string>> = {},
): Promise<{ failed: boolean; stdout: string; stderr: string }> {
  const options = { env: { PATH: process.env['PATH'], ...env, ...more } };
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [...builtProgram('bot-create'), name],
      options,
      (error, stdout, stderr) => {
        resolve({ failed: error !== null, stdout, stderr });
      },
    );
  });
}

test('registers a bot and shows its token', async () => {
  const { failed, stdout } = await create('helper');
  expect(failed).toBe(false);
  expect(stdout).toMatch(/^ {2}pbt_\S+$/m);
});

test.each(['system', 'all', 'server', 'Über'])('refuses the bot name %s', async (name) => {
  const { failed, stdout, stderr } = await create(name);
  expect(failed).toBe(true);
  expect(stdout).toBe('');
  expect(stderr).not.toMatch(/^ +at /m);
});

test('registers the name of a built-in bot only if that bot is left out', async () => {
  const { failed, stderr } = await create('dice');
  expect(failed).toBe(true);
  expect(stderr).toBe(
    'The server already runs a bot dice: choose another name, or set PARLANCE_WITHOUT_BOTS=dice.\n',
  );

  expect(await create('dice', { PARLANCE_WITHOUT_BOTS: 'dice' })).toMatchObject({ failed: false });
});
