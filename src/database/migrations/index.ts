import { CreateSchema1795219200000 } from './1795219200000-create-schema.js';
import { AddFiles1795305600000 } from './1795305600000-add-files.js';

/** Every migration, oldest first; listed by hand, since globs do not load ESM. */
export const MIGRATIONS = [CreateSchema1795219200000, AddFiles1795305600000];
