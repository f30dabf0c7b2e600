import { createRequire } from 'node:module';

const { name, version } = createRequire(import.meta.url)('../../package.json') as {
  name: string;
  version: string;
};

/** Name and version of this server, as the welcome tells them (P-2.4). */
export const SERVER = { name, version };
