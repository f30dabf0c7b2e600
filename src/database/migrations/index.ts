import { CreateSchema1795219200000 } from './1795219200000-create-schema.js';
import { AddDirectRooms1795300000000 } from './1795300000000-add-direct-rooms.js';
import { AddFiles1795305600000 } from './1795305600000-add-files.js';
import { AddDialectGuests1795400000000 } from './1795400000000-add-dialect-guests.js';

/** Every migration, oldest first; listed by hand, since globs do not load ESM. */
export const MIGRATIONS = [
  CreateSchema1795219200000,
  AddDirectRooms1795300000000,
  AddFiles1795305600000,
  AddDialectGuests1795400000000,
];
