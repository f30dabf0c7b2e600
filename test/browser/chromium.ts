import { existsSync } from 'node:fs';

import { chromium, type Browser } from 'playwright-core';

/** The first one takes half of the CPU: it has no user interface. */
const EXECUTABLES = ['/usr/bin/chromium-headless-shell', '/usr/bin/chromium'];
const executable = EXECUTABLES.find((path) => existsSync(path));
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

/** Whether a browser is installed. */
export const hasChromium = executable !== undefined;

/** Message for developers without a browser. */
export const NO_CHROMIUM = 'Chromium is missing (Debian: apt-get install chromium-headless-shell).';

/** Starts a headless browser. */
export function launchChromium(): Promise<Browser> {
  if (executable === undefined) throw new Error(NO_CHROMIUM);
  return chromium.launch({ executablePath: executable, args: ARGS });
}
