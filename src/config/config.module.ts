import { Global, Module, type DynamicModule, type FactoryProvider } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';

import { CONFIG, type Config } from './config.js';
import { HTTP_SETTINGS, httpSettings, type HttpOptions } from './http-options.js';

/** The settings of an app: a value, or a factory with injected dependencies. */
export type ConfigSource =
  { readonly useValue: Config } | Pick<FactoryProvider<Config>, 'inject' | 'useFactory'>;

const UNCHECKED_CONFIG = Symbol('UncheckedConfig');

/** Provides the {@link Config} and the {@link HttpSettings} everywhere. */
@Global()
@Module({})
export class ConfigModule {
  static forRoot(
    source: ConfigSource,
    imports: NonNullable<DynamicModule['imports']>,
    http: HttpOptions | undefined,
  ): DynamicModule {
    return {
      module: ConfigModule,
      imports,
      providers: [
        { provide: UNCHECKED_CONFIG, ...source },
        {
          provide: CONFIG,
          inject: [UNCHECKED_CONFIG, ModulesContainer],
          useFactory: checkSettings,
        },
        { provide: HTTP_SETTINGS, useValue: httpSettings(http) },
      ],
      exports: [CONFIG, HTTP_SETTINGS],
    };
  }
}

/**
 * Returns the settings.
 *
 * @throws Error if they are incomplete, or if a second ParlanceModule would open the database too
 */
function checkSettings(config: Partial<Config> | undefined, modules: ModulesContainer): unknown {
  const found = [...modules.values()].filter(({ metatype }) => metatype === ConfigModule);
  if (found.length > 1) {
    throw new Error('ParlanceModule is imported twice. Import it once; it can be global.');
  }
  if (config?.limits === undefined || config.dataDir === undefined) {
    throw new Error(
      'The settings of ParlanceModule are incomplete. Pass the result of readConfig.',
    );
  }
  return config;
}
