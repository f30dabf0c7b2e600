/** Id by which a client names its own log (P-5.14). */
export const OWN_ROOM = '@me';

const ROOM_NAME = /^[\p{L}\p{M}\p{N}_-]+$/u;
const ROOM_NAME_CHARS = 64;
const DISPLAY_NAME_CHARS = 32;
// Controls, format characters (bidi and zero-width ones among them), surrogates, private use,
// unassigned, line and paragraph separators, and the blank letters that no category catches.
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}\u115F\u1160\u3164\uFFA0\u034F\u17B4\u17B5]/u;

/** Folds a public room name as people type it to the room's id; null if it is none (P-5.1). */
export function foldRoomName(typed: string): string | null {
  const folded = typed.trim().normalize('NFKC').toLowerCase().normalize('NFKC');
  if (!ROOM_NAME.test(folded) || countChars(folded) > ROOM_NAME_CHARS) return null;
  return folded;
}

/** Gives a display name after NFKC and trimming; null if it may not be one (P-2.6). */
export function normalizeDisplayName(typed: string): string | null {
  const name = typed.normalize('NFKC').trim();
  if (name === '' || UNSEEN.test(name) || countChars(name) > DISPLAY_NAME_CHARS) return null;
  return name;
}

/** Gives a title or an emoji after NFC and trimming; null if it has unseen characters (P-5.1). */
export function normalizeLabel(typed: string, maxChars: number): string | null {
  const label = typed.normalize('NFC').trim();
  // Joiners belong to emoji and to several scripts.
  const visible = label.replace(/[\u200C\u200D\u{E0020}-\u{E007F}]/gu, '');
  if (visible === '' || UNSEEN.test(visible) || countChars(label) > maxChars) return null;
  return label;
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
