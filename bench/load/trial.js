import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';

import { readCpuMs } from './process-usage.js';

/**
 * @typedef {object} TrialPlan
 * @property {number | null} rate messages a second in all; null is as fast as replies come
 * @property {number} [inFlight] messages that wait for their replies, if there is no rate
 * @property {number} leadMs
 * @property {number} windowMs only this part is measured
 * @property {number} drainMs how long to wait for the last deliveries
 * @property {number} serverPid
 *
 * @typedef {object} TrialResult
 * @property {number} sendRate messages sent a second
 * @property {number} deliveries in the window
 * @property {number} messages delivered to all members in the window
 * @property {number} windowMs
 * @property {number} serverCpuMs
 * @property {number} serverShare of one core
 * @property {number} generatorShare of one core
 * @property {number} p50
 * @property {number} p99 latency of deliveries in milliseconds
 * @property {boolean} complete all messages sent were delivered to all members
 * @property {number} refused
 * @property {number} lost connections
 * @property {string} complaint what the server said against us
 */

/**
 * Lets the crowd send for a while and measures the steady part.
 *
 * @param {import('./crowd.js').Crowd} crowd
 * @param {TrialPlan} plan
 * @returns {Promise<TrialResult>}
 */
export async function runTrial(crowd, plan) {
  const { tally } = crowd;
  tally.reset();
  const stop =
    plan.rate === null ? sendSaturated(crowd, plan.inFlight) : sendPaced(crowd, plan.rate);
  await sleep(plan.leadMs);
  const from = snapshot(tally, plan.serverPid);
  await sleep(plan.windowMs);
  const to = snapshot(tally, plan.serverPid);
  stop();
  const complete = await drain(crowd, plan.drainMs);
  return summarize(crowd, from, to, complete);
}

/**
 * @param {import('./crowd.js').Crowd} crowd
 * @param {number} rate
 */
function sendPaced(crowd, rate) {
  const begin = performance.now();
  let issued = 0;
  // Not an interval: ticks that are late must not be made up for by a burst of empty ones.
  let timer = setTimeout(tick, 1);
  function tick() {
    const due = Math.floor(((performance.now() - begin) * rate) / 1000);
    while (issued < due && crowd.send()) issued++;
    timer = setTimeout(tick, 1);
  }
  return () => clearTimeout(timer);
}

/**
 * @param {import('./crowd.js').Crowd} crowd
 * @param {number} inFlight
 */
function sendSaturated(crowd, inFlight = Infinity) {
  crowd.onIdle = () => crowd.send();
  for (let i = 0; i < inFlight && crowd.send(); i++);
  return () => {
    crowd.onIdle = () => {};
  };
}

/**
 * @param {import('./crowd.js').Crowd} crowd
 * @param {number} drainMs
 */
async function drain(crowd, drainMs) {
  const deadline = performance.now() + drainMs;
  while (!crowd.isQuiet && crowd.tally.lost === 0 && performance.now() < deadline) await sleep(5);
  return crowd.isQuiet;
}

/**
 * @param {import('./tally.js').Tally} tally
 * @param {number} serverPid
 */
function snapshot(tally, serverPid) {
  const own = process.cpuUsage();
  return {
    at: performance.now(),
    sent: tally.sent,
    delivered: tally.delivered,
    serverCpuMs: readCpuMs(serverPid),
    generatorCpuMs: (own.user + own.system) / 1000,
  };
}

/**
 * @param {import('./crowd.js').Crowd} crowd
 * @param {ReturnType<typeof snapshot>} from
 * @param {ReturnType<typeof snapshot>} to
 * @param {boolean} complete
 * @returns {TrialResult}
 */
function summarize({ tally, plan }, from, to, complete) {
  const windowMs = to.at - from.at;
  const deliveries = to.delivered - from.delivered;
  const serverCpuMs = to.serverCpuMs - from.serverCpuMs;
  const took = tally.latencies
    .filter(({ sentAt }) => sentAt >= from.at && sentAt < to.at)
    .map((latency) => latency.took)
    .sort((a, b) => a - b);
  return {
    sendRate: ((to.sent - from.sent) * 1000) / windowMs,
    deliveries,
    messages: deliveries / plan.membersPerRoom,
    windowMs,
    serverCpuMs,
    serverShare: serverCpuMs / windowMs,
    generatorShare: (to.generatorCpuMs - from.generatorCpuMs) / windowMs,
    p50: quantile(took, 0.5),
    p99: quantile(took, 0.99),
    complete,
    refused: tally.refused,
    lost: tally.lost,
    complaint: tally.complaint,
  };
}

/**
 * @param {number[]} sorted
 * @param {number} share
 */
function quantile(sorted, share) {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Infinity;
}
