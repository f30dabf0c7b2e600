import { once } from 'node:events';
import { connect } from 'node:net';

import { describeWith } from '../support/scratch-services/needs.js';
import { ScratchNats } from '../support/scratch-services/scratch-nats.js';
import { ScratchPostgres } from '../support/scratch-services/scratch-postgres.js';
import type { ScratchProgram } from '../support/scratch-services/scratch-program.js';
import { ScratchRedis } from '../support/scratch-services/scratch-redis.js';

const TEST_MS = 120_000;

/** Sends a line to a server, and returns what it says first, or in answer. */
async function ask(port: number, line: string): Promise<string> {
  const socket = connect(port, '127.0.0.1').setEncoding('utf8');
  socket.write(line);
  const [answer] = (await once(socket, 'data')) as [string];
  socket.destroy();
  return answer;
}

async function expectRestarts(
  service: ScratchProgram,
  answers: () => Promise<unknown>,
): Promise<void> {
  await service.kill();
  expect(service.isRunning).toBe(false);
  await expect(answers()).rejects.toThrow();
  await service.start();
  await answers();
  await service.stop();
  await expect(answers()).rejects.toThrow();
  await service.start();
  await answers();
}

describeWith('nats-server')('nats-server', () => {
  test('starts, and again on its port after a kill and after a stop', async () => {
    const nats = await ScratchNats.start();
    const answers = async () => expect(await ask(nats.port, '')).toMatch(/^INFO \{/);
    await answers();
    await expectRestarts(nats, answers);
    expect(nats.url).toBe(`nats://127.0.0.1:${String(nats.port)}`);
    await nats.dispose();
  });
});

describeWith('redis-server')('redis-server', () => {
  test('starts, and again on its port after a kill and after a stop', async () => {
    const redis = await ScratchRedis.start();
    const answers = async () => expect(await ask(redis.port, 'PING\r\n')).toBe('+PONG\r\n');
    await answers();
    await expectRestarts(redis, answers);
    expect(redis.url).toBe(`redis://127.0.0.1:${String(redis.port)}`);
    await redis.dispose();
  });
});

describeWith('postgres')('PostgreSQL', () => {
  const clusters: ScratchPostgres[] = [];
  const keep = (cluster: ScratchPostgres) => {
    clusters.push(cluster);
    return cluster;
  };
  afterEach(async () => {
    await Promise.all(clusters.splice(0).map((cluster) => cluster.dispose()));
  });

  const count = async (cluster: ScratchPostgres) =>
    (await cluster.query('SELECT count(*)::int AS n FROM t'))[0]?.['n'];

  test(
    'keeps what it has committed over a kill and a stop',
    async () => {
      const cluster = keep(await ScratchPostgres.start());
      await cluster.query('CREATE TABLE t AS SELECT 1 AS x');
      await expectRestarts(cluster, async () => expect(await count(cluster)).toBe(1));
      expect(await cluster.query('SHOW fsync')).toEqual([{ fsync: 'on' }]);
    },
    TEST_MS,
  );

  test(
    'has a synchronous standby without which it commits nothing',
    async () => {
      const primary = keep(await ScratchPostgres.start());
      const standby = keep(await primary.startStandby('synchronous'));
      await primary.query('CREATE TABLE t AS SELECT 1 AS x');
      await standby.kill();
      const waiting = primary.query('INSERT INTO t VALUES (2)');
      await primary.query('SELECT 1');
      expect(await count(primary)).toBe(1);
      await standby.start();
      await waiting;
      await primary.kill();
      await standby.promote();

      expect(await count(standby)).toBe(2);
      await standby.query('INSERT INTO t VALUES (3)');
      expect(await count(standby)).toBe(3);
    },
    TEST_MS,
  );

  test(
    'has an asynchronous standby without which it commits',
    async () => {
      const primary = keep(await ScratchPostgres.start());
      const standby = keep(await primary.startStandby('asynchronous'));
      await standby.kill();
      await primary.query('CREATE TABLE t AS SELECT 1 AS x');
      await primary.kill();
      await standby.start();
      await standby.promote();

      await expect(count(standby)).rejects.toThrow('does not exist');
    },
    TEST_MS,
  );
});
