import { BotClock } from '#src/bots/kit/bot-clock.js';
import { Writer } from '#src/database/writer.js';

import type { TestClient } from '../support/client.js';
import { withProcessClockAhead } from '../support/clock.js';
import { NodePair } from '../support/node-pair.js';
import type { TestServer } from '../support/server.js';
import { uploaded } from '../support/uploads.js';
import { connectClient } from '../support/wire-transports.js';

const HOUR_MS = 3_600_000;
const TOKEN_SECONDS = 600;
const TEST_MS = 60_000;
/** Longer than a test runs, and much shorter than the clocks differ. */
const NEAR_MS = 120_000;

const onPostgres = process.env['TEST_DATABASE'] === 'postgres' ? describe : describe.skip;

onPostgres('two servers, one of whose clocks is an hour ahead', () => {
  let nodes: NodePair;

  beforeAll(async () => {
    nodes = await ahead(() => NodePair.start({ PARLANCE_TOKEN_SECONDS: String(TOKEN_SECONDS) }));
  }, TEST_MS);

  afterAll(() => nodes.dispose(), TEST_MS);

  /** Runs what the second server does, an hour ahead. */
  const ahead = <T>(body: () => Promise<T>): Promise<T> => withProcessClockAhead(HOUR_MS, body);

  const connect = (server: TestServer, hello: object): Promise<TestClient> =>
    connectClient('websocket', server.port, { ...hello });

  const isNear = (time: number): boolean => Math.abs(time - Date.now()) < NEAR_MS;

  test('accept the tokens of each other, and let them expire at the same time', async () => {
    const ann = await connect(nodes.one, { name: 'ann' });
    const { token, user } = ann.welcome;
    const there = await ahead(() => connect(nodes.two, { token }));
    const { expiresAt, user: known } = there.welcome;
    await ahead(() => there.roundTrip());

    expect(known.id).toBe(user.id);
    expect(isNear(expiresAt - TOKEN_SECONDS * 1_000)).toBe(true);
    expect(there.events('auth.expiring')).toEqual([]);
  });

  test('store times of the database', async () => {
    await ahead(async () => {
      const bob = await connect(nodes.two, { name: 'bob' });
      await bob.ok('room.join', { room: 'clock', create: true });
      await bob.ok('message.send', { room: 'clock', text: 'now' });
      await uploaded(nodes.two.url, bob, Buffer.from('bytes'), { name: 'now.txt' });
    });
    const times = await nodes.one.app.get(Writer).run([], ({ sql }) =>
      sql.all<{ what: string; at: number }>(
        `SELECT 'seen' AS what, last_seen_at AS at FROM users UNION ALL
         SELECT 'room', created_at FROM rooms UNION ALL SELECT 'event', at FROM room_events UNION ALL
         SELECT 'member', joined_at FROM members UNION ALL SELECT 'file', created_at FROM files
         UNION ALL SELECT 'key', first_used_at FROM token_keys`,
      ),
    );

    const kinds = new Set(times.map(({ what }) => what));
    expect(kinds).toEqual(new Set(['seen', 'room', 'event', 'member', 'file', 'key']));
    expect(times.filter(({ at }) => !isNear(at))).toEqual([]);
  });

  test('tell bots the time of the database', async () => {
    const now = await ahead(async () => nodes.two.app.get(BotClock).now());
    expect(isNear(now)).toBe(true);
  });
});
