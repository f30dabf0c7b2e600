import { createHash } from 'node:crypto';

import { foldRoomName, normalizeLabel } from '../protocol/names.js';

const HASH_CHARS = 16;
const SLUG_CHARS = 40;
const TITLE_CHARS = 64;
/** What this rule itself makes: a name typed like that is no room of its own. */
const MADE = /-_[0-9a-f]{16}$/;

/**
 * Gives the id of the room that people mean by what they typed, in any case.
 *
 * What is a room name is its own id. Anything else becomes what is left of it and a hash, so that
 * different names are different rooms.
 */
export function foreignRoom(typed: string): string {
  const folded = foldRoomName(typed);
  if (folded !== null && !MADE.test(folded)) return folded;
  const same = typed.trim().normalize('NFKC').toLowerCase().toUpperCase().toLowerCase();
  const hash = createHash('sha256').update(JSON.stringify(same)).digest('hex').slice(0, HASH_CHARS);
  const rest = same.replace(/[^\p{L}\p{N}]+/gu, '-').replace(/^-+|-+$/g, '');
  const slug = Array.from(rest).slice(0, SLUG_CHARS).join('');
  return foldRoomName(`${slug}-_${hash}`) ?? `room-_${hash}`;
}

/** Gives the title of the room that people mean by what they typed; undefined if none can be shown. */
export function foreignTitle(typed: string): string | undefined {
  const cut = Array.from(typed.trim().normalize('NFC')).slice(0, TITLE_CHARS).join('');
  return normalizeLabel(cut, TITLE_CHARS) ?? undefined;
}
