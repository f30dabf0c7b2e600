import type { FactoryProvider } from '@nestjs/common';

import { CONFIG, type Config } from '../config/config.js';
import { foldRoomName } from '../protocol/names.js';
import { ReservedNames } from '../users/reserved-names.js';
import { allowedName } from './allowed-name.js';
import { DialectImages } from './dialect-images.js';
import type { DialectContext } from './dialect.js';

/** Token of the list of enabled dialects. */
export const DIALECTS = Symbol('Dialects');

/** Token of the {@link DialectContext}. */
export const DIALECT_CONTEXT = Symbol('DialectContext');

/** Provides the {@link DialectContext}. */
export const dialectContextProvider: FactoryProvider<DialectContext> = {
  provide: DIALECT_CONTEXT,
  inject: [CONFIG, ReservedNames, DialectImages],
  useFactory: (config: Config, reserved: ReservedNames, images: DialectImages) => ({
    defaultRoom: foldRoomName(config.defaultRoom) ?? config.defaultRoom,
    historyMessages: config.dialectHistory,
    displayName: (typed) => allowedName(typed, (name) => reserved.has(name)),
    dataUrl: (image) => images.dataUrl(image),
  }),
};
