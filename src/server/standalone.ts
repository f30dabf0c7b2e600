import type { DynamicModule } from '@nestjs/common';

import { ParlanceModule, type ParlanceOptions } from '../parlance.module.js';
import type { Config } from '../config/config.js';
import { BUILT_IN_DIALECTS } from '../dialects/built-in/index.js';

/**
 * Composes the standalone server: {@link ParlanceModule} with everything that an embedding app
 * has to enable itself.
 *
 * These are the health checks, the protocol document, the page at `/`, and the built-in dialects
 * of `PARLANCE_DIALECTS` with their pages. `options.dialects` are matched before the built-in ones.
 */
export function standaloneModule(
  config: Config,
  { dialects = [], ...options }: Omit<ParlanceOptions, 'http'>,
): DynamicModule {
  const enabled: readonly string[] = config.dialects;
  const builtIn = BUILT_IN_DIALECTS.filter(({ name }) => enabled.includes(name));
  return ParlanceModule.forRoot(config, {
    ...options,
    dialects: [...dialects, ...builtIn],
    http: { health: true, docs: true, page: true, dialects: true },
  });
}
