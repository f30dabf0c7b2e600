import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';

import { cpuMsBetween, readCpuMs, readCpuMsOfEach } from './process-usage.js';

/**
 * @typedef {object} TrialPlan
 * @property {number | null} rate messages per second in total; null sends as fast as replies arrive
 * @property {number} [inFlight] unanswered messages at a time, without a rate
 * @property {number} leadMs time before the measured window
 * @property {number} windowMs measured time
 * @property {number} drainMs maximum time to wait for the last deliveries
 * @property {number} serverPid
 * @property {{ pids: number[], pinned: boolean }} [database] processes of PostgreSQL for the server
 * @property {number} [linkPid] process that delays what passes between the server and PostgreSQL
 *
 * @typedef {object} TrialResult
 * @property {number} sendRate messages sent per second
 * @property {number} deliveries during the window
 * @property {number} messages messages delivered to all members during the window
 * @property {number} windowMs
 * @property {number} serverCpuMs
 * @property {number} serverShare CPU use of the server, as a share of one core
 * @property {number} generatorShare CPU use of the load generator, as a share of one core
 * @property {DatabaseUsage | null} database null if there is none on this machine
 * @property {number} linkShare CPU use of the link to the database, as a share of one core
 * @property {number} p50
 * @property {number} p99 delivery latency in milliseconds, as is `p50`
 * @property {boolean} complete whether every message reached every member
 * @property {number} refused
 * @property {number} lost connections lost
 * @property {string} firstError first error that the server reported
 *
 * @typedef {object} DatabaseUsage
 * @property {number} cpuMs
 * @property {number} share as a share of one core
 * @property {boolean} pinned whether it runs on the core of the load generator
 */

/**
 * Lets the crowd send and measures the steady part.
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
  const from = snapshot(tally, plan);
  await sleep(plan.windowMs);
  const to = snapshot(tally, plan);
  stop();
  const complete = await drain(crowd, plan.drainMs);
  return { ...summarize(crowd, from, to, complete), ...databaseUsage(plan, from, to) };
}

/**
 * @param {import('./crowd.js').Crowd} crowd
 * @param {number} rate
 */
function sendPaced(crowd, rate) {
  const begin = performance.now();
  let issued = 0;
  // Not setInterval, which makes up for late ticks with a burst of them.
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
  while (!crowd.isSettled && crowd.tally.lost === 0 && performance.now() < deadline) await sleep(5);
  return crowd.isSettled;
}

/**
 * @param {import('./tally.js').Tally} tally
 * @param {TrialPlan} plan
 */
function snapshot(tally, { serverPid, database, linkPid }) {
  const own = process.cpuUsage();
  return {
    at: performance.now(),
    sent: tally.sent,
    delivered: tally.delivered,
    serverCpuMs: readCpuMs(serverPid),
    generatorCpuMs: (own.user + own.system) / 1000,
    database: readCpuMsOfEach(database?.pids ?? []),
    link: readCpuMsOfEach(linkPid === undefined ? [] : [linkPid]),
  };
}

/**
 * @param {import('./crowd.js').Crowd} crowd
 * @param {ReturnType<typeof snapshot>} from
 * @param {ReturnType<typeof snapshot>} to
 * @param {boolean} complete
 * @returns {Omit<TrialResult, 'database' | 'linkShare'>}
 */
function summarize({ tally, plan }, from, to, complete) {
  const windowMs = to.at - from.at;
  const deliveries = to.delivered - from.delivered;
  const serverCpuMs = to.serverCpuMs - from.serverCpuMs;
  const latencies = tally.latencies
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
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
    complete,
    refused: tally.refused,
    lost: tally.lost,
    firstError: tally.firstError,
  };
}

/**
 * @param {TrialPlan} plan
 * @param {ReturnType<typeof snapshot>} from
 * @param {ReturnType<typeof snapshot>} to
 * @returns {Pick<TrialResult, 'database' | 'linkShare'>}
 */
function databaseUsage({ database }, from, to) {
  const windowMs = to.at - from.at;
  const cpuMs = cpuMsBetween(from.database, to.database);
  return {
    database:
      to.database.size === 0
        ? null
        : { cpuMs, share: cpuMs / windowMs, pinned: database?.pinned === true },
    linkShare: cpuMsBetween(from.link, to.link) / windowMs,
  };
}

/**
 * @param {number[]} sorted
 * @param {number} share
 */
function quantile(sorted, share) {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Infinity;
}
