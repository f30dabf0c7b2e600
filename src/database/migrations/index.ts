import { CreateSchema1795219200000 } from './1795219200000-create-schema.js';
import { AddDirectRooms1795300000000 } from './1795300000000-add-direct-rooms.js';
import { AddFiles1795305600000 } from './1795305600000-add-files.js';
import { AddDialectGuests1795400000000 } from './1795400000000-add-dialect-guests.js';
import { MarkRoomBots1795600000000 } from './1795600000000-mark-room-bots.js';
import { NormalizeReactions1795700000000 } from './1795700000000-normalize-reactions.js';
import { AddHashes1795800000000 } from './1795800000000-add-hashes.js';
import { AddRoomKinds1795900000000 } from './1795900000000-add-room-kinds.js';
import { AddHeadTimes1796000000000 } from './1796000000000-add-head-times.js';
import { AddCluster1796100000000 } from './1796100000000-add-cluster.js';
import { AddLeases1796200000000 } from './1796200000000-add-leases.js';
import { AddGuestPresence1796300000000 } from './1796300000000-add-guest-presence.js';

/** Every migration, oldest first; listed by hand, since globs do not load ESM. */
export const MIGRATIONS = [
  CreateSchema1795219200000,
  AddDirectRooms1795300000000,
  AddFiles1795305600000,
  AddDialectGuests1795400000000,
  MarkRoomBots1795600000000,
  NormalizeReactions1795700000000,
  AddHashes1795800000000,
  AddRoomKinds1795900000000,
  AddHeadTimes1796000000000,
  AddCluster1796100000000,
  AddLeases1796200000000,
  AddGuestPresence1796300000000,
];
