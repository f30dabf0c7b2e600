import { fileURLToPath } from 'node:url';

import { io } from 'socket.io-client';

import { buildServer } from '../support/built-server.js';
import { ChildServer } from '../support/child-server.js';
import { dropDatabase, freshDatabase } from '../support/server.js';

const TEST_MS = 60_000;
const SHOUTBOX = fileURLToPath(new URL('../../examples/shoutbox.dialect.js', import.meta.url));
const NO_DIALECT = fileURLToPath(new URL('../../bench/options.js', import.meta.url));

let env: Awaited<ReturnType<typeof freshDatabase>>;

beforeAll(() => buildServer(), 120_000);
beforeEach(async () => {
  env = await freshDatabase();
});
afterEach(async () => {
  await ChildServer.killAll();
  await dropDatabase(env);
});

test(
  'the server speaks the dialect of a file, also beside its own',
  async () => {
    const server = await ChildServer.start({ ...env, PARLANCE_DIALECT_FILES: SHOUTBOX });
    const page = io(server.url, { forceNew: true, transports: ['websocket'] });
    const other = io(server.url, { forceNew: true, transports: ['websocket'] });
    const shouted = new Promise((resolve) => page.once('shouted', resolve));
    const shown = new Promise((resolve) => other.once('show-msg', resolve));
    other.emit('request-all-msgs');
    await new Promise((resolve) => other.once('show-all-msgs', resolve));

    page.emit('shout', { nick: 'Ann', text: 'hi' });

    expect(await shouted).toMatchObject({ nick: 'Ann', text: 'hi' });
    expect(await shown).toBe('hi');
    page.close();
    other.close();
  },
  TEST_MS,
);

test(
  'the server does not start with a file that holds no dialect, and says so',
  async () => {
    const server = new ChildServer({ ...env, PARLANCE_DIALECT_FILES: NO_DIALECT });
    expect(await server.ended()).toMatchObject({ code: 1 });
    expect(server.stderr).toMatch(/^The file .*options\.js exports no dialect; /m);
    expect(server.stderr).not.toContain('    at ');
  },
  TEST_MS,
);
