import { ChildServer } from '../support/child-server.js';
import { hasPgbouncer, Pgbouncer } from '../support/pgbouncer.js';
import { dropDatabase, freshDatabase, startServer } from '../support/server.js';
import { connectClient } from '../support/wire-transports.js';

const isRun = process.env['TEST_DATABASE'] === 'postgres' && hasPgbouncer;

(isRun ? describe : describe.skip)('pgbouncer in front of PostgreSQL', () => {
  let database: Record<string, string>;
  let pooler: Pgbouncer | undefined;

  beforeEach(async () => {
    database = await freshDatabase();
  });

  afterEach(async () => {
    await ChildServer.killAll();
    await pooler?.stop();
    await dropDatabase(database);
  });

  async function pooled(mode: string, settings = ''): Promise<Record<string, string>> {
    pooler = await Pgbouncer.start(database['DATABASE_URL'] ?? '', mode, settings);
    return { ...database, DATABASE_URL: pooler.url };
  }

  test.each([
    ['in transaction mode', 'transaction', ''],
    ['in transaction mode with one connection', 'transaction', 'default_pool_size = 1'],
    ['in transaction mode, round robin', 'transaction', 'server_round_robin = 1'],
    ['in statement mode', 'statement', ''],
  ])('%s is refused at the start, with one line', async (_, mode, settings) => {
    const server = new ChildServer(await pooled(mode, settings));
    const { code } = await server.ended();
    expect(code).toBe(1);
    const lines = server.stderr.split('\n').filter((line) => line.includes('A pooler'));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('Set pool_mode = session');
  });

  test('in session mode works', async () => {
    const server = await startServer(await pooled('session'));
    const ann = await connectClient('websocket', server.port, {});
    await ann.ok('room.join', { room: 'pooled', create: true });
    await ann.ok('message.send', { room: 'pooled', text: 'through the pooler' });
    const { messages } = await ann.ok('message.history', { room: 'pooled' });
    expect(messages).toHaveLength(1);
    await ann.close();
    await server.stop();
  });
});
