import { randomBytes } from 'node:crypto';
import { join } from 'node:path';

import { say } from '../conformance/meeting.js';
import { ChildServer } from '../support/child-server.js';
import type { TestClient } from '../support/client.js';
import { makeScratchFolder } from '../support/scratch-folder.js';
import { dropDatabase, freshDatabase } from '../support/server.js';
import { connectClient } from '../support/wire-transports.js';

const ROOM = 'general';
const TEST_MS = 180_000;
/** Starts a process whose clock is an hour ahead. */
const AN_HOUR_AHEAD =
  '--import=data:text/javascript,const{now}=Date;Date.now=()=>now.call(Date)+3600000';

const onPostgres = process.env['TEST_DATABASE'] === 'postgres' ? describe : describe.skip;

onPostgres('of two servers, the one that runs the bots', () => {
  let env: Record<string, string>;
  let holder: ChildServer;
  let other: ChildServer;
  let ann: TestClient;

  beforeEach(async () => {
    const folder = await makeScratchFolder();
    env = {
      ...(await freshDatabase(folder)),
      PARLANCE_FILES_DIR: join(folder, 'files'),
      PARLANCE_BUS: 'postgres:',
      PARLANCE_TOKEN_KEYS: `k1:${randomBytes(32).toString('base64')}`,
      PARLANCE_ROOM_BOTS: 'dice,remind',
    };
    holder = await ChildServer.start({ ...env, NODE_OPTIONS: AN_HOUR_AHEAD });
    other = await ChildServer.start(env);
    ann = await connectClient('websocket', other.port, { name: 'ann' });
    await ann.ok('room.join', { room: ROOM });
    await roll();
  }, TEST_MS);

  afterEach(async () => {
    await ChildServer.killAll();
    await dropDatabase(env);
  }, TEST_MS);

  /** Rolls dice, and waits for the answer. */
  async function roll(client = ann): Promise<void> {
    const { id } = await say(client, ROOM, '/roll 2d6');
    await ann.event('message.created', ({ message }) => message.replyTo === id);
  }

  const answers = (): number =>
    ann
      .events('message.created')
      .filter(
        ({ data }) => (data['message'] as { sender: { name: string } }).sender.name === 'dice',
      ).length;

  test(
    'is succeeded after it was killed, also for alarms that it set by its clock',
    async () => {
      await say(ann, ROOM, '/remind me in 1s tea');
      await ann.event('message.created', ({ message }) => message.text.startsWith('I will'));
      await holder.kill('SIGKILL');
      await roll();
      await ann.event('message.created', ({ message }) => message.text === '⏰ @ann: tea');

      expect(answers()).toBe(2);
    },
    TEST_MS,
  );

  test(
    'is succeeded while it stands still, and answers nothing afterwards',
    async () => {
      holder.signal('SIGSTOP');
      await roll();
      await roll();
      holder.signal('SIGCONT');
      const bob = await connectClient('websocket', holder.port, { name: 'bob' });
      await bob.ok('room.join', { room: ROOM });
      await roll(bob);
      await ann.roundTrip();

      expect(answers()).toBe(4);
    },
    TEST_MS,
  );
});
