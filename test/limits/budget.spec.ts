import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { limitVariable } from '#src/config/options.js';
import { DEFAULT_LIMITS, type LimitName } from '#src/protocol/limits.js';

import { ChildServer } from '../support/child-server.js';

const SIEGE = fileURLToPath(new URL('../../bench/abuse/siege-process.js', import.meta.url));
const ALL_ATTACKS_MS = 170_000;
const CALM_MS = 250;
const ATTACK_MS = 1_500;
/** Maximum ratio of other users' slowest pings with and without an attack. */
const MOST_TIMES = 20;
/** Shorter pings cannot be distinguished from the noise of the machine. */
const LEAST_CALM_MS = 5;
/** Maximum memory that one address adds to the server, as stated in docs/limits.md. */
const ADDRESS_BYTES = 268_435_456;

interface Damage {
  readonly name: string;
  readonly calmP99: number;
  readonly p99: number;
  readonly bytes: number;
  readonly count: { readonly done: number; readonly refused: Readonly<Record<string, number>> };
}

const defaults = Object.fromEntries(
  (Object.keys(DEFAULT_LIMITS) as LimitName[]).map((name) => [
    limitVariable(name),
    String(DEFAULT_LIMITS[name]),
  ]),
);

let dataDir: string;
let server: ChildServer;
let damages: Damage[];
let bytesBefore: number;

// Runs in a separate process: Jest would distort the pings of other users.
beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'parlance-limits-'));
  const settings = { PARLANCE_DATA_DIR: dataDir, PARLANCE_TRUST_PROXY: 'loopback' };
  server = await ChildServer.start({ ...defaults, ...settings });
  bytesBefore = server.residentBytes();
  const plan = [server.port, server.pid, CALM_MS, ATTACK_MS].map(String);
  const { stdout } = await promisify(execFile)(process.execPath, [SIEGE, ...plan]);
  damages = JSON.parse(stdout) as Damage[];
}, ALL_ATTACKS_MS);

afterAll(async () => {
  await ChildServer.killAll();
  rmSync(dataDir, { recursive: true, force: true });
});

test('attacks from one address barely slow down other users', () => {
  // Other processes may disturb a measurement, so the slowest calm ping counts for all attacks.
  const calmMs = Math.max(LEAST_CALM_MS, ...damages.map(({ calmP99 }) => calmP99));
  const slowed = damages.filter(({ p99 }) => p99 > MOST_TIMES * calmMs);

  expect(slowed).toEqual([]);
});

test('one address adds at most the memory that docs/limits.md states', () => {
  // Each attack uses a new address; memory of the previous attack may not be free yet.
  const growths = damages.map(({ name, bytes }, index) => {
    return { name, growth: bytes - (damages[index - 1]?.bytes ?? bytesBefore) };
  });

  expect(growths.filter(({ growth }) => growth > ADDRESS_BYTES)).toEqual([]);
});

test('every attack is effective: the server executes or refuses its requests', () => {
  const idle = damages.filter(
    ({ count: { done, refused } }) => done === 0 && Object.keys(refused).length === 0,
  );

  expect(damages.length).toBeGreaterThan(15);
  expect(idle).toEqual([]);
});
