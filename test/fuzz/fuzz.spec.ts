import { readConfig } from '#src/config/config.js';
import { welcomeText } from '#src/server/welcome-text.js';

import { ChildServer } from '../support/child-server.js';
import { Random, seedFrom } from '../support/random.js';
import { dropDatabase, freshDatabase } from '../support/server.js';
import { Bystander } from './bystander.js';
import { sendRequests } from './http-garbage.js';
import { sendFrames, type LaneKind } from './lane.js';
import { sendBytes } from './websocket-bytes.js';
import { pollingLane, rawWebSocketLane, socketIoLane } from './wires.js';

const FRAMES = Number(process.env['FUZZ_FRAMES'] ?? 4_000);
const CONNECTIONS = FRAMES / 4;
const MEGABYTE = 2 ** 20;
const ERROR_LEVEL = 50;
const ROOM = 'bystanders';

const seed = seedFrom('FUZZ_SEED');
const random = new Random(seed);
let env: Record<string, string>;
let server: ChildServer;
let bystanders: Bystander[];
let memoryBefore: number;

beforeAll(async () => {
  env = await freshDatabase();
  // With the default limit, the server would close connections before they are tested further.
  server = await ChildServer.start({ ...env, PARLANCE_LIMIT_BAD_FRAMES: '1000000' });
  bystanders = [
    await Bystander.join('websocket', server.port, ROOM),
    await Bystander.join('socket.io websocket', server.port, ROOM),
    await Bystander.join('socket.io polling', server.port, ROOM),
  ];
  memoryBefore = server.residentBytes();
  for (const bystander of bystanders) bystander.start();
}, 60_000);

afterAll(async () => {
  for (const bystander of bystanders) bystander.close();
  await ChildServer.killAll();
  await dropDatabase(env);
});

/** Describes problems and how to reproduce them; returns an empty text if there are none. */
function report(problems: readonly string[]): string {
  if (problems.length === 0 && server.exit === undefined) return '';
  const state =
    server.exit === undefined
      ? ''
      : `the server ended: ${JSON.stringify(server.exit)}\n${server.stderr}\n`;
  return `FUZZ_SEED=${String(seed)}\n${state}${problems.slice(0, 10).join('\n')}`;
}

function fuzz(lane: (port: number) => LaneKind): Promise<string[]> {
  return sendFrames(lane(server.port), [ROOM, 'fuzz'], random.fork(), FRAMES);
}

test(`raw WebSocket survives ${String(FRAMES)} bad frames`, async () => {
  expect(report(await fuzz(rawWebSocketLane))).toBe('');
}, 120_000);

test(`Socket.IO over WebSocket survives ${String(FRAMES)} bad packets`, async () => {
  expect(report(await fuzz(socketIoLane))).toBe('');
}, 120_000);

test(`Socket.IO over polling survives ${String(FRAMES)} bad packets`, async () => {
  expect(report(await fuzz(pollingLane))).toBe('');
}, 120_000);

test(`${String(CONNECTIONS)} WebSockets survive bytes that are not valid frames`, async () => {
  expect(report(await sendBytes(server.port, random.fork(), CONNECTIONS))).toBe('');
}, 120_000);

test(`the HTTP server survives ${String(CONNECTIONS)} malformed requests`, async () => {
  expect(report(await sendRequests(server.port, random.fork(), CONNECTIONS))).toBe('');
}, 120_000);

test('bystanders were acknowledged and saw every message in the same order', async () => {
  for (const bystander of bystanders) await bystander.stop();
  expect(report(bystanders.flatMap(({ problem }) => problem ?? []))).toBe('');
  for (const { acknowledged } of bystanders) {
    expect(acknowledged.length).toBeGreaterThan(10);
    const last = acknowledged.at(-1) as string;
    await Promise.all(bystanders.map((other) => other.see(last)));
  }
  const [first, ...others] = bystanders.map(({ seen }) => seen);
  // Bystanders who joined later have not seen the first messages.
  for (const seen of others) expect(first?.slice(-seen.length)).toEqual(seen);
});

test('the server logged no errors and its memory did not grow', () => {
  const errors = server.log().filter(({ level }) => level >= ERROR_LEVEL);
  expect(report(errors.map((line) => JSON.stringify(line)))).toBe('');
  expect(server.stderr).toBe(
    welcomeText({ address: '127.0.0.1', family: 'IPv4', port: server.port }, readConfig(env)),
  );
  expect(server.stdout.length).toBeLessThan(MEGABYTE);
  expect(server.residentBytes() - memoryBefore).toBeLessThan(200 * MEGABYTE);
});
