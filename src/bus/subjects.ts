/** Subject of the heartbeats. */
export const BEATS = 'hb';
/** Subject of control messages to users and to all nodes. */
export const CONTROL = 'c';

const LOGS = 'p.';
const OFFSET_BASIS = 0x811c9dc5;
const PRIME = 0x01000193;

/** Returns the subject of the log frames of a partition. */
export function logSubject(partition: number): string {
  return LOGS + String(partition);
}

/** Returns the subject of the ephemerals of a partition. */
export function ephemeralSubject(partition: number): string {
  return `e.${String(partition)}`;
}

/** Returns the subject of control messages to one node. */
export function nodeSubject(boot: string): string {
  return `n.${boot}`;
}

/** Returns the partition whose log frames a subject carries; null for other subjects. */
export function partitionOfSubject(subject: string): number | null {
  return subject.startsWith(LOGS) ? Number(subject.slice(LOGS.length)) : null;
}

/** Returns the partition of a log: a hash (FNV-1a) that never changes. */
export function partitionOf(log: string, partitions: number): number {
  let hash = OFFSET_BASIS;
  for (let at = 0; at < log.length; at++) {
    hash = Math.imul(hash ^ log.charCodeAt(at), PRIME);
  }
  return (hash >>> 0) % partitions;
}
