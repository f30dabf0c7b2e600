import { CreateSchema1795219200000 } from './1795219200000-create-schema.js';
import { AddDirectRooms1795300000000 } from './1795300000000-add-direct-rooms.js';

/** Every migration, oldest first; listed by hand, since globs do not load ESM. */
export const MIGRATIONS = [CreateSchema1795219200000, AddDirectRooms1795300000000];
