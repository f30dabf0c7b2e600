import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

import { GENERATOR_CORE, pinningObstacle } from '../pinning.js';

/** Columns of /proc/net/tcp. */
const LOCAL_ADDRESS = 1;
const INODE = 9;

/**
 * Finds the processes of PostgreSQL on this machine that serve a client, and pins them to the core of
 * the load generator. Returns an empty list if PostgreSQL runs elsewhere.
 *
 * @param {import('pg').Client} admin
 * @param {number} clientPid
 * @returns {Promise<{ pids: number[], pinned: boolean }>}
 */
export async function findBackends(admin, clientPid) {
  const { rows } = await admin.query(
    'SELECT pid FROM pg_stat_activity WHERE client_port = ANY ($1::int[])',
    [portsOf(clientPid)],
  );
  const pids = rows.map(({ pid }) => pid).filter(isBackend);
  const loose = pids.filter((pid) => !pin(pid));
  // A connection that is idle for long ends meanwhile.
  return { pids, pinned: !loose.some(isBackend) };
}

/**
 * Returns the ports of the open TCP connections of a process.
 *
 * @param {number} pid
 */
function portsOf(pid) {
  const inodes = new Set(readdirSync(`/proc/${pid}/fd`).flatMap((fd) => inodeOf(pid, fd)));
  return ['tcp', 'tcp6']
    .flatMap((table) => readFileSync(`/proc/${pid}/net/${table}`, 'latin1').split('\n').slice(1))
    .map((line) => line.trim().split(/\s+/))
    .filter((columns) => inodes.has(columns[INODE]))
    .map((columns) => parseInt(columns[LOCAL_ADDRESS].split(':')[1], 16));
}

/**
 * @param {number} pid
 * @param {string} fd
 */
function inodeOf(pid, fd) {
  try {
    const found = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`));
    return found === null ? [] : [found[1]];
  } catch {
    // Closed meanwhile.
    return [];
  }
}

/**
 * Returns whether a process id of PostgreSQL is one of this machine.
 *
 * @param {number} pid
 */
function isBackend(pid) {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').startsWith('postgres:');
  } catch {
    return false;
  }
}

/** @param {number} pid */
function pin(pid) {
  if (pinningObstacle !== null) return false;
  return spawnSync('taskset', ['-p', '-c', String(GENERATOR_CORE), String(pid)]).status === 0;
}
