import { fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';

const COMMANDS = 12;
const PROGRAM = `
import { GeneratorProcess } from './bench/load/generator-process.js';
const generator = new GeneratorProcess();
for (let n = 0; n < ${String(COMMANDS)}; n++) await generator.close();
generator.stop();
`;

test('the load generator of the benchmark leaks no listeners', () => {
  const { status, stderr } = spawnSync(
    process.execPath,
    ['--input-type=module', '--eval', PROGRAM],
    { encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '' } },
  );

  expect(stderr).toBe('');
  expect(status).toBe(0);
});

describe('the link of the benchmark to PostgreSQL', () => {
  const DELAY_MS = 1;
  const ROUND_TRIPS = 200;
  const MUCH = 20_000_000;

  /** Connects through a link to a server that sends everything back and notes when it came. */
  async function openLink() {
    let arrivedAt = 0;
    const echo = createServer({ noDelay: true }, (socket) => {
      socket.on('data', () => (arrivedAt = performance.now()));
      socket.pipe(socket);
    });
    await once(echo.listen(0, '127.0.0.1'), 'listening');
    const target = ['127.0.0.1', String((echo.address() as AddressInfo).port), String(DELAY_MS)];
    const link = fork('bench/load/delay-proxy.js', target, { execArgv: [] });
    const [{ port }] = (await once(link, 'message')) as [{ port: number }];
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    const close = async () => {
      socket.destroy();
      link.kill();
      await once(link, 'exit');
      echo.close();
    };
    return { socket, arrivedAt: () => arrivedAt, close };
  }

  test('delays each direction, and little more', async () => {
    const { socket, arrivedAt, close } = await openLink();
    const there: number[] = [];
    const back: number[] = [];
    for (let n = 0; n < ROUND_TRIPS; n++) {
      const sentAt = performance.now();
      socket.write('x');
      await once(socket, 'data');
      there.push(arrivedAt() - sentAt);
      back.push(performance.now() - arrivedAt());
    }
    await close();

    // The fastest of many tells what the link adds, however busy the machine is.
    for (const fastest of [Math.min(...there), Math.min(...back)]) {
      expect(fastest).toBeGreaterThan(0.9 * DELAY_MS);
      expect(fastest).toBeLessThan(1.5 * DELAY_MS);
    }
  });

  test('passes on everything, in order, without waiting for each part', async () => {
    const { socket, close } = await openLink();
    const sent = Buffer.alloc(MUCH, '0123456789');
    const received: Buffer[] = [];
    let size = 0;
    const all = new Promise<void>((resolve) => {
      socket.on('data', (data) => {
        received.push(data);
        size += data.length;
        if (size === MUCH) resolve();
      });
    });
    socket.write(sent);
    await all;
    await close();

    expect(Buffer.concat(received).equals(sent)).toBe(true);
  });
});
