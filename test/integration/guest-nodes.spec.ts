import type { TestClient } from '../support/client.js';
import { NodePair } from '../support/node-pair.js';
import type { TestServer } from '../support/server.js';
import { connectClient } from '../support/wire-transports.js';

const ROOM = 'guests';
const AWAY_SECONDS = 2;
const TEST_MS = 60_000;

const onPostgres = process.env['TEST_DATABASE'] === 'postgres' ? describe : describe.skip;

onPostgres('two servers that share a database', () => {
  let nodes: NodePair;

  beforeAll(async () => {
    nodes = await NodePair.start({ PARLANCE_GUEST_AWAY_SECONDS: String(AWAY_SECONDS) });
  }, TEST_MS);

  afterAll(() => nodes.dispose(), TEST_MS);

  async function join(server: TestServer, name: string): Promise<TestClient> {
    const client = await connectClient('websocket', server.port, { name });
    await client.ok('room.join', { room: ROOM, create: true });
    return client;
  }

  test('let guests leave who are away, but none who is connected to either', async () => {
    const ann = await join(nodes.one, 'ann');
    await join(nodes.two, 'bob');
    for (const server of [nodes.one, nodes.two]) {
      const eve = await join(server, 'eve');
      await eve.close();
      const left = await ann.event('member.left', ({ user }) => user.id === eve.welcome.user.id);
      expect(left.reason).toBe('away');
    }
    const { members } = await ann.ok('room.members', { room: ROOM });

    expect(members.map(({ user }) => user.name).sort()).toEqual(['ann', 'bob']);
  });
});
