import { Logger } from '@nestjs/common';

import { PinoLogger } from '#src/server/logger.js';

/** Returns the warnings and errors that servers of this process log while a function runs. */
export async function captureErrorLog(act: () => Promise<unknown>): Promise<unknown[]> {
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
