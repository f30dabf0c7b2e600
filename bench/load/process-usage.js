import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

let ticksPerSecond = 0;

/**
 * Returns the CPU time used by all threads of a process, in milliseconds.
 *
 * @param {number} pid
 */
export function readCpuMs(pid) {
  ticksPerSecond ||= Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // The process name may contain spaces; the numbers follow its closing parenthesis.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / ticksPerSecond;
}

/**
 * Returns the CPU time of several processes, in milliseconds, without those that have ended.
 *
 * @param {number[]} pids
 * @returns {Map<number, number>}
 */
export function readCpuMsOfEach(pids) {
  const running = pids.filter((pid) => existsSync(`/proc/${pid}`));
  return new Map(running.map((pid) => [pid, readCpuMs(pid)]));
}

/**
 * Returns the CPU time between two results of {@link readCpuMsOfEach}, in milliseconds.
 *
 * @param {Map<number, number>} from
 * @param {Map<number, number>} to
 */
export function cpuMsBetween(from, to) {
  let sum = 0;
  for (const [pid, ms] of to) sum += ms - (from.get(pid) ?? 0);
  return sum;
}

/**
 * Returns the resident memory of a process, in KiB.
 *
 * @param {number} pid
 */
export function readRssKiB(pid) {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]);
}
