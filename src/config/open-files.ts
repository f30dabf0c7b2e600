import { readFileSync } from 'node:fs';

import { StartError } from './start-error.js';

/** Loading the server opens about 300 files at once; with a lower limit, imports fail at random. */
const MIN_OPEN_FILES = 512;

/**
 * Checks that the process may open enough files to load the server.
 *
 * Only Linux reports the limit; other systems are not checked.
 *
 * @throws StartError if the limit is too low
 */
export function checkOpenFiles(): void {
  const limit = findLimit();
  if (limit === undefined || limit >= MIN_OPEN_FILES) return;
  throw new StartError({
    what: `The process may open only ${String(limit)} files; the server needs at least ${String(MIN_OPEN_FILES)}.`,
    where: 'ulimit -n, or LimitNOFILE of a systemd unit',
    remedy: 'Set it to 4096 or more: each connection uses one file.',
  });
}

function findLimit(): number | undefined {
  try {
    const limits = readFileSync('/proc/self/limits', 'utf8');
    const found = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
    return found === undefined ? undefined : Number(found);
  } catch {
    return undefined;
  }
}
