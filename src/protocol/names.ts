/** Id by which a client names its own log (P-5.14). */
export const OWN_ROOM = '@me';

const DIRECT_ROOM = /^@dm-[\w-]{24}$/;
// A mark at the start would join what stands before the name.
const ROOM_NAME = /^(?!\p{M})[\p{L}\p{M}\p{N}_-]+$/u;
const ROOM_NAME_CHARS = 64;
const DISPLAY_NAME_CHARS = 32;
// Controls, format characters (bidi and zero-width ones among them), surrogates, private use,
// unassigned, line and paragraph separators, what may be left out when a text is shown, and the
// blanks that no property of Unicode tells: in braille, music, hieroglyphs and Khitan.
const UNSEEN =
  /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800\uFFFC\u{1D159}\u{13441}\u{13442}\u{16FE4}]/u;
const VISIBLE = /[\p{L}\p{N}\p{P}\p{S}]/u;
const EMOJI_VARIANT = /(?<=\p{Emoji})[\uFE0E\uFE0F]/gu;
// Joiners, tags and variation selectors belong to emoji and to several scripts.
const ATTACHED = /[\u200C\u200D\u{E0020}-\u{E007F}\p{Variation_Selector}]/gu;

/** Folds a public room name as people type it to the room's id; null if it is none (P-5.1). */
export function foldRoomName(typed: string): string | null {
  const folded = foldCase(typed.trim().normalize('NFKC')).normalize('NFKC');
  if (!ROOM_NAME.test(folded) || UNSEEN.test(folded)) return null;
  return countChars(folded) > ROOM_NAME_CHARS ? null : folded;
}

/** Gives the id of the room that a client names; null if it is that of none (P-5.1). */
export function toRoomId(typed: string): string | null {
  return typed === OWN_ROOM || DIRECT_ROOM.test(typed) ? typed : foldRoomName(typed);
}

/** Tells what kind of a room an id belongs to, whether there is one or not (P-5.16). */
export function kindOfRoom(id: string): 'public' | 'direct' {
  return DIRECT_ROOM.test(id) ? 'direct' : 'public';
}

/** Gives a display name after NFKC and trimming; null if it may not be one (P-2.6). */
export function normalizeDisplayName(typed: string): string | null {
  const name = typed.normalize('NFKC').trim().replace(EMOJI_VARIANT, '');
  if (!isSeen(name) || countChars(name) > DISPLAY_NAME_CHARS) return null;
  return name;
}

/** Gives a title or an emoji after NFC and trimming; null if it has unseen characters (P-5.1). */
export function normalizeLabel(typed: string, maxChars: number): string | null {
  const label = typed.normalize('NFC').trim();
  if (!isSeen(label.replace(ATTACHED, '')) || countChars(label) > maxChars) return null;
  return label;
}

/** Lower case makes ẞ to ß, upper case ß to SS; and the lower case of Σ goes by what follows it. */
function foldCase(text: string): string {
  return text.toLowerCase().toUpperCase().toLowerCase().replaceAll('ς', 'σ');
}

function isSeen(text: string): boolean {
  return VISIBLE.test(text) && !UNSEEN.test(text);
}

/** Counts the code points of a text (P-9.3). */
export function countChars(text: string): number {
  let count = text.length;
  for (let i = 0; i < text.length - 1; i++) {
    const high = text.charCodeAt(i);
    if (high >= 0xd800 && high <= 0xdbff) {
      const low = text.charCodeAt(i + 1);
      if (low >= 0xdc00 && low <= 0xdfff) {
        count--;
        i++;
      }
    }
  }
  return count;
}
