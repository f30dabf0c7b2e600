import { Logger } from '@nestjs/common';

import { PinoLogger } from '#src/logger.js';

/** Gives what the servers of this process log as a warning, or as worse, while something is done. */
export async function logOfErrors(act: () => Promise<unknown>): Promise<unknown[]> {
  const logged: unknown[] = [];
  const note = (...line: unknown[]) => void logged.push(line);
  const silent = new PinoLogger('silent');
  Logger.overrideLogger(Object.assign(silent, { error: note, warn: note, fatal: note }));
  try {
    await act();
  } finally {
    Logger.overrideLogger(new PinoLogger('fatal'));
  }
  return logged;
}
