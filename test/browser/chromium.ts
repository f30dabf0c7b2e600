import { existsSync } from 'node:fs';

import { chromium, type Browser } from 'playwright-core';

const EXECUTABLE = '/usr/bin/chromium';
const ARGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Tells whether there is a browser to test with. */
export const hasChromium = existsSync(EXECUTABLE);

/** What to do where there is none. */
export const NO_CHROMIUM = `${EXECUTABLE} is missing (Debian: apt-get install chromium).`;

/** Starts a browser without a window. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: EXECUTABLE, args: ARGS });
}
