import { writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';

import { decodeImage } from './decode-image.js';
import type { ImageJob, ImageReport, ImageResult } from './image-job.js';

/**
 * The program that decodes images in a separate process, so that a hostile image can only kill it.
 *
 * Its argument is the number of bytes of memory at which it kills itself. libvips works in threads,
 * so the event loop stays free to watch the memory.
 */
const WATCH_MS = 10;
const LOW_PRIORITY = 10;
/** Memory above that of an idle process that allocators may keep. */
const RETAINED_BYTES = 32 * 1_024 * 1_024;

const limit = Number(process.argv[2]);
const idleBytes = process.memoryUsage.rss();

function report(message: ImageReport, sent?: () => void): void {
  process.send?.(message, undefined, undefined, sent);
}

/** Kills the process at the limit; an orderly exit would wait for threads that allocate memory. */
function watchMemory(): void {
  if (process.memoryUsage.rss() < limit) return;
  clearInterval(watch);
  report({ isOutOfMemory: true }, () => process.kill(process.pid, 'SIGKILL'));
}

async function decode(job: ImageJob): Promise<void> {
  let result: ImageResult;
  try {
    result = await decodeImage(job);
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException;
    result = { failure: { message, code } };
  }
  const isLast = process.memoryUsage.rss() > idleBytes + RETAINED_BYTES;
  report({ result, isLast });
}

/** Gives the server precedence over images, in processor time and when memory runs out. */
function lowerPriority(): void {
  setPriority(LOW_PRIORITY);
  if (process.platform === 'linux') writeFileSync('/proc/self/oom_score_adj', '1000');
}

try {
  lowerPriority();
} catch {
  // Some systems do not allow it; images are decoded anyway.
}
const watch = setInterval(watchMemory, WATCH_MS);
process.on('message', (job: ImageJob) => void decode(job));
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
// A terminal sends these to all processes; the server decides when this one ends.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined);
report({ isReady: true });
