import { Reader } from '#src/database/reader.js';
import { Writer } from '#src/database/writer.js';

import { freshDatabase, startServer, type TestServer } from '../support/server.js';

const onPostgres = process.env['TEST_DATABASE'] === 'postgres' ? describe : describe.skip;

/** Settings that a role can have for all its sessions, set by `ALTER ROLE … SET`. */
const SETTINGS = {
  statement_timeout: '2000',
  lock_timeout: '1',
  idle_session_timeout: '60000',
  idle_in_transaction_session_timeout: '60000',
  synchronous_commit: 'off',
};
type Settings = Record<keyof typeof SETTINGS, string>;

const QUERY = `SELECT ${Object.keys(SETTINGS)
  .map((name) => `current_setting('${name}') AS ${name}`)
  .join(', ')}`;

onPostgres('sessions of a role with custom settings', () => {
  let server: TestServer;

  beforeAll(async () => {
    const database = await freshDatabase();
    const url = new URL(database['DATABASE_URL'] ?? '');
    const options = Object.entries(SETTINGS).map(([name, value]) => `-c ${name}=${value}`);
    url.searchParams.set('options', options.join(' '));
    server = await startServer({
      ...database,
      DATABASE_URL: url.href,
      PARLANCE_DATABASE_STATEMENT_MS: '5000',
    });
  });

  afterAll(() => server.dispose());

  test('the writer has no statement timeout, stays connected, and syncs each commit', async () => {
    const found = await server.app.get(Writer).run([], ({ sql }) => sql.get<Settings>(QUERY));
    expect(found).toEqual({
      statement_timeout: '0',
      lock_timeout: '2s',
      idle_session_timeout: '0',
      idle_in_transaction_session_timeout: '3s',
      synchronous_commit: 'on',
    });
  });

  test('the readers have the server’s statement timeout, and stay connected', async () => {
    const reader = server.app.get(Reader);
    const found = await reader.snapshot(({ sql }) => sql.get<Settings>(QUERY));
    expect(found).toMatchObject({ statement_timeout: '4s', idle_session_timeout: '0' });
  });
});
