import { setTimeout as sleep } from 'node:timers/promises';

import { readRssKiB } from '../load/process-usage.js';
import { Session } from './session.js';

const COLLECT_ON_SIGNAL = new URL('../peers/collect-on-signal.js', import.meta.url).href;
const MEMBERS_PER_ROOM = 100;
const WARMUP_CROWD = { rooms: 1, membersPerRoom: 20, sendersPerRoom: 0 };
const SHORT_SETTLE_MS = 300;
const COLLECTING_MS = 500;

/**
 * Measures connections that have said hello, joined a room, and stay silent.
 *
 * @type {import('./scene.js').Scene}
 */
export async function measureIdle(target, _wanted, { idleConnections, settleMs }) {
  const session = await Session.start(target, ['--expose-gc', '--import', COLLECT_ON_SIGNAL]);
  try {
    // Compiled code is not a cost of each connection, so it is compiled before the measurement.
    await session.open(WARMUP_CROWD);
    await session.close();
    const before = await readSettledKiB(session, SHORT_SETTLE_MS);
    await session.open({
      rooms: idleConnections / MEMBERS_PER_ROOM,
      membersPerRoom: MEMBERS_PER_ROOM,
      sendersPerRoom: 0,
    });
    const after = await readSettledKiB(session, settleMs);
    await session.checkAllConnected();
    return { memory: toReading(before, after, idleConnections) };
  } finally {
    await session.stop();
  }
}

/**
 * @param {Session} session
 * @param {number} settleMs
 */
async function readSettledKiB({ server }, settleMs) {
  await sleep(settleMs);
  process.kill(server.pid, 'SIGUSR2');
  await sleep(COLLECTING_MS);
  return readRssKiB(server.pid);
}

/**
 * @param {number} before
 * @param {number} after
 * @param {number} connections
 */
function toReading(before, after, connections) {
  const mebibytes = [before, after].map((kib) => (kib / 1024).toFixed(1));
  return {
    value: (after - before) / connections,
    note: `${mebibytes[0]} MiB empty, ${mebibytes[1]} MiB with ${connections} connections`,
  };
}
