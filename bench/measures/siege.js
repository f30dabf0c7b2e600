import { besiege } from '../abuse/siege.js';
import { readRssKiB } from '../load/process-usage.js';
import { ServerProcess } from '../server-process.js';

const CALM_MS = 100;

/**
 * Measures pings of clients at other addresses while one address attacks at the default limits.
 *
 * @type {import('./scene.js').Scene}
 */
export async function measureSiege(target, _wanted, { attackMs }) {
  const server = new ServerProcess(target, [], { PARLANCE_TRUST_PROXY: 'loopback' });
  await server.start();
  try {
    const readBytes = () => readRssKiB(server.pid) * 1_024;
    const damages = await besiege(server.port, { calmMs: CALM_MS, attackMs, readBytes });
    const [worst, ...others] = damages.sort((one, other) => other.p99 - one.p99);
    const next = others.slice(0, 2).map(({ name, p99 }) => `${name} ${p99.toFixed(0)} ms`);
    return { p99: { value: worst.p99, note: `${worst.name}; then ${next.join(', ')}` } };
  } finally {
    await server.stop();
  }
}
