import { limitVariable } from '#src/config/options.js';
import { DEFAULT_LIMITS, type LimitName } from '#src/protocol/limits.js';

import type { Scene } from './suite.js';

/** Returns a limit of the server under test, also one that the welcome does not announce. */
export function limitInForce({ server }: Pick<Scene, 'server'>, name: LimitName): number {
  return Number(server?.env[limitVariable(name)] ?? DEFAULT_LIMITS[name]);
}
