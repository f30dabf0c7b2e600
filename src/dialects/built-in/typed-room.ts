import { createHash } from 'node:crypto';

import { foldRoomName, normalizeLabel, removeInvisible } from '../../protocol/names.js';
import { cutGraphemes } from '../allowed-name.js';

const HASH_CHARS = 16;
const SLUG_CHARS = 40;
const TITLE_CHARS = 64;
/** Ids that {@link toRoomId} generates; a typed name of this form gets a hash too. */
const GENERATED = /-_[0-9a-f]{16}$/;

/**
 * Returns the id of the room for a typed name, ignoring case.
 *
 * A valid room name is its own id. Any other name becomes a slug and a hash, so that different
 * names never share a room.
 */
export function toRoomId(typed: string): string {
  const folded = foldRoomName(typed);
  if (folded !== null && !GENERATED.test(folded)) return folded;
  const key = typed.trim().normalize('NFKC').toLowerCase().toUpperCase().toLowerCase();
  const hash = createHash('sha256').update(JSON.stringify(key)).digest('hex').slice(0, HASH_CHARS);
  const words = key.replace(/[^\p{L}\p{N}]+/gu, '-').replace(/^-+|-+$/g, '');
  const slug = Array.from(words).slice(0, SLUG_CHARS).join('');
  return foldRoomName(`${slug}-_${hash}`) ?? `room-_${hash}`;
}

/** Returns the room title for a typed name; undefined if it has no visible characters. */
export function toRoomTitle(typed: string): string | undefined {
  const cut = cutGraphemes(removeInvisible(typed.normalize('NFC')).trim(), TITLE_CHARS);
  return normalizeLabel(cut, TITLE_CHARS) ?? undefined;
}
