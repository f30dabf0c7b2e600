// A link between a server and its database: `node delay-proxy.js host port delayMs`. It delays each
// direction, in a process of its own, and sends its port over IPC. A host with `/` is a folder of
// sockets.
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';

import { Alarm } from './alarm.js';

/** Unread bytes, from which the link slows down its sender. */
const MAX_UNREAD = 16 * 1_024 * 1_024;
/** How much earlier data may pass, so that the alarm need not ring again for so short a time. */
const TOLERANCE_MS = 0.05;
const MAX_LEAD_MS = 0.5;
/** Change of the lead each time, so that it settles where half of the rings are late. */
const STEP_MS = 0.005;

const [host, port, delayMs] = process.argv.slice(2);
const target = host.startsWith('/')
  ? { path: join(host, `.s.PGSQL.${port}`) }
  : { host, port: Number(port) };

/** @type {{ due: number, run: () => void }[]} all with the same delay, so in the order due */
const waiting = [];
const alarm = new Alarm(runDue);
/** How late the alarm rings usually; it is set earlier by as much. */
let leadMs = 0;

const server = createServer({ noDelay: true }, (client) => {
  const upstream = connect({ ...target, noDelay: true });
  link(client, upstream);
  link(upstream, client);
});
server.listen(0, '127.0.0.1', () => {
  const address = /** @type {import('node:net').AddressInfo} */ (server.address());
  process.send?.({ port: address.port });
});
process.on('disconnect', () => process.exit());

/**
 * Passes on what one side sends, delayed, and slows it down only if the other side does not read.
 *
 * @param {import('node:net').Socket} from
 * @param {import('node:net').Socket} to
 */
function link(from, to) {
  from.on('data', (chunk) => {
    later(() => {
      if (to.destroyed) return;
      to.write(chunk);
      if (to.writableLength < MAX_UNREAD || from.isPaused()) return;
      from.pause();
      to.once('drain', () => from.resume());
    });
  });
  from.on('end', () => later(() => to.end()));
  from.on('error', () => undefined);
  from.on('close', () => later(() => to.destroy()));
}

/** @param {() => void} run */
function later(run) {
  waiting.push({ due: performance.now() + Number(delayMs), run });
  if (waiting.length === 1) setAlarm(leadMs);
}

/** @param {number} lead */
function setAlarm(lead) {
  alarm.set(Math.max(0, waiting[0].due - performance.now() - lead));
}

function runDue() {
  const now = performance.now();
  leadMs = Math.min(MAX_LEAD_MS, Math.max(0, leadMs + Math.sign(now - waiting[0].due) * STEP_MS));
  let count = 0;
  while (count < waiting.length && waiting[count].due <= now + TOLERANCE_MS) count++;
  for (const { run } of waiting.splice(0, count)) run();
  if (waiting.length > 0) setAlarm(count > 0 ? leadMs : 0);
}
