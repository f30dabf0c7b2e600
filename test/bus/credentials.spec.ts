import { inspect } from 'node:util';

import { Logger } from '@nestjs/common';

import type { ClusterBus } from '#src/bus/cluster-bus.js';
import { openBus } from '#src/bus/open-bus.js';
import { PinoLogger } from '#src/server/logger.js';
import { newId } from '#src/store/new-id.js';

import { eventually } from '../support/eventually.js';
import { describeWith } from '../support/scratch-services/needs.js';
import { ScratchNats } from '../support/scratch-services/scratch-nats.js';
import { ScratchRedis } from '../support/scratch-services/scratch-redis.js';

const PASSWORD = 'p@ss:word/1';
const WRONG = 'wr@ng-one';
const encoded = encodeURIComponent;

afterAll(() => void Logger.overrideLogger(new PinoLogger('fatal')));

describeWith('nats-server')('NATS with a user', () => {
  const start = () => ScratchNats.start('--user', 'us@r', '--pass', PASSWORD);
  testCredentials(start, (password) => `us%40r:${encoded(password)}`);
});

describeWith('nats-server')('NATS with a token', () => {
  testCredentials(() => ScratchNats.start('--auth', PASSWORD), encoded);
});

describeWith('redis-server')('Redis with a password', () => {
  const start = () => ScratchRedis.start('--requirepass', PASSWORD);
  testCredentials(start, (password) => `:${encoded(password)}`);
});

/** Tests a server with a password; `credentials` puts a password into the form of a URL. */
function testCredentials(
  start: () => Promise<ScratchNats | ScratchRedis>,
  credentials: (password: string) => string,
): void {
  const lines: unknown[] = [];
  let server: ScratchNats | ScratchRedis;

  beforeAll(async () => {
    server = await start();
  });

  beforeEach(() => {
    const note = (...line: unknown[]): void => void lines.push(line);
    Logger.overrideLogger({ log: note, warn: note, error: note });
  });

  afterEach(() => {
    const text = inspect(lines.splice(0), { depth: 10, showHidden: true });
    for (const secret of [PASSWORD, WRONG, 'us@r']) {
      expect(text).not.toContain(secret);
      expect(text).not.toContain(encoded(secret));
    }
  });

  afterAll(() => server.dispose());

  async function open(password: string): Promise<ClusterBus> {
    const url = server.url.replace('//', `//${credentials(password)}@`);
    return openBus({ url, databaseUrl: 'postgres://unused', clusterId: newId() });
  }

  test('admits the right credentials', async () => {
    const bus = await open(PASSWORD);
    const heard: string[] = [];
    await bus.subscribe('p.1', (bytes) => heard.push(Buffer.from(bytes).toString()));
    bus.publish('p.1', Buffer.from('hi'));
    await eventually(() => heard.length > 0, 'a frame');
    await bus.close();

    expect(heard).toEqual(['hi']);
  });

  test('leaves the bus away with the wrong ones, and says so', async () => {
    const bus = await open(WRONG);
    await eventually(() => lines.length > 0, 'a line in the log');

    expect(bus.state).toBe('away');
    await bus.close();
    expect(inspect(lines, { depth: 10 })).toMatch(/authorization|WRONGPASS/i);
  });
}
