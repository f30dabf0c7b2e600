import { readConfig } from '#src/config/config.js';
import { welcomeText } from '#src/welcome-text.js';

import { ChildServer } from '../support/child-server.js';
import { Random, seedFrom } from '../support/random.js';
import { dropDatabase, freshDatabase } from '../support/server.js';
import { Bystander } from './bystander.js';
import { throwRequests } from './http-garbage.js';
import { throwFrames, type LaneKind } from './lane.js';
import { throwBytes } from './websocket-bytes.js';
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
  // A connection that is closed for its bad frames would be tried no further.
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

/** Says how to see a failure again; no problem is an empty text. */
function report(problems: readonly string[]): string {
  if (problems.length === 0 && server.exit === undefined) return '';
  const state =
    server.exit === undefined
      ? ''
      : `the server ended: ${JSON.stringify(server.exit)}\n${server.stderr}\n`;
  return `FUZZ_SEED=${String(seed)}\n${state}${problems.slice(0, 10).join('\n')}`;
}

function throwAt(lane: (port: number) => LaneKind): Promise<string[]> {
  return throwFrames(lane(server.port), [ROOM, 'fuzz'], random.fork(), FRAMES);
}

test(`a raw WebSocket takes ${String(FRAMES)} bad frames`, async () => {
  expect(report(await throwAt(rawWebSocketLane))).toBe('');
}, 120_000);

test(`Socket.IO over WebSocket takes ${String(FRAMES)} bad packets`, async () => {
  expect(report(await throwAt(socketIoLane))).toBe('');
}, 120_000);

test(`Socket.IO over polling takes ${String(FRAMES)} bad packets`, async () => {
  expect(report(await throwAt(pollingLane))).toBe('');
}, 120_000);

test(`${String(CONNECTIONS)} WebSockets take bytes that are no frames`, async () => {
  expect(report(await throwBytes(server.port, random.fork(), CONNECTIONS))).toBe('');
}, 120_000);

test(`the HTTP server takes ${String(CONNECTIONS)} requests that are none`, async () => {
  expect(report(await throwRequests(server.port, random.fork(), CONNECTIONS))).toBe('');
}, 120_000);

test('meanwhile, those who chatted were acknowledged and saw everything, in one order', async () => {
  for (const bystander of bystanders) await bystander.stop();
  expect(report(bystanders.flatMap(({ problem }) => problem ?? []))).toBe('');
  for (const { acknowledged } of bystanders) {
    expect(acknowledged.length).toBeGreaterThan(10);
    const last = acknowledged.at(-1) as string;
    await Promise.all(bystanders.map((other) => other.see(last)));
  }
  const [first, ...others] = bystanders.map(({ seen }) => seen);
  // Those who joined later have not seen the very first messages.
  for (const seen of others) expect(first?.slice(-seen.length)).toEqual(seen);
});

test('and the server neither complained nor grew', () => {
  const complaints = server.log().filter(({ level }) => level >= ERROR_LEVEL);
  expect(report(complaints.map((line) => JSON.stringify(line)))).toBe('');
  expect(server.stderr).toBe(welcomeText(server.port, readConfig(env)));
  expect(server.stdout.length).toBeLessThan(MEGABYTE);
  expect(server.residentBytes() - memoryBefore).toBeLessThan(200 * MEGABYTE);
});
