import { JOINS_NEXT, JOINS_PREVIOUS, VIRAMAS } from './joining-types.js';

/** Id with which a client refers to its own log (P-5.14). */
export const OWN_ROOM = '@me';

const DIRECT_ROOM = /^@dm-[\w-]{24}$/;
// A mark at the start would attach to the text before the name.
const ROOM_NAME = /^(?!\p{M})[\p{L}\p{M}\p{N}_-]+$/u;
const ROOM_NAME_CHARS = 64;
const REACTION_CHARS = 32;
/** Maximum number of code points of a display name (P-2.6). */
export const DISPLAY_NAME_CHARS = 32;
// Blanks that no Unicode property covers: in braille, music, hieroglyphs and Khitan.
const BLANKS = '[\\u2800\\uFFFC\\u{1D159}\\u{13441}\\u{13442}]|\\u{16FE4}';
// Controls, format characters (bidi and zero-width ones among them), surrogates, private use,
// unassigned, line and paragraph separators, and default-ignorable code points.
const INVISIBLE_CLASS = `(?:[\\p{C}\\p{Zl}\\p{Zp}\\p{Default_Ignorable_Code_Point}]|${BLANKS})`;
const INVISIBLE = new RegExp(INVISIBLE_CLASS, 'u');
const ALL_INVISIBLE = new RegExp(`(?![\\u200C\\u200D])${INVISIBLE_CLASS}`, 'gu');
const VISIBLE = /[\p{L}\p{N}\p{P}\p{S}]/u;
// A faster check that is enough for most texts.
const ASCII_VISIBLE = /[!-~]/;
// A text can have characters, such as emoji, that are newer than the Unicode of this process.
const VISIBLE_IN_TEXT = new RegExp(
  `(?![\\p{Default_Ignorable_Code_Point}\\p{Noncharacter_Code_Point}]|${BLANKS})` +
    '[\\p{L}\\p{N}\\p{P}\\p{S}\\p{Co}\\p{Cn}]',
  'u',
);
const EMOJI_VARIANT = /(?<=\p{Emoji})[\uFE0E\uFE0F]/gu;
// Joiners, tags and variation selectors belong to emoji and to several scripts.
const ATTACHED = /[\u200C\u200D\u{E0020}-\u{E007F}\p{Variation_Selector}]/gu;
const JOINERS = /[\u200C\u200D]/g;
const TRANSPARENT = '(?:(?![\\u200C\\u200D])[\\p{Mn}\\p{Me}\\p{Cf}])*';
// RFC 5892, A.1 and A.2; then joiners within an emoji, and the tags of a flag.
const NEEDED = new RegExp(
  [
    `(?<=[${VIRAMAS}])[\\u200C\\u200D]`,
    `(?<=[${JOINS_NEXT}]${TRANSPARENT})\\u200C(?=${TRANSPARENT}[${JOINS_PREVIOUS}])`,
    '(?<=\\p{Extended_Pictographic}[\\p{Emoji_Modifier}\\uFE0F]?)\\u200D(?=\\p{Extended_Pictographic})',
    '(?<=\\u{1F3F4})[\\u{E0030}-\\u{E0039}\\u{E0061}-\\u{E007A}]{2,6}\\u{E007F}',
  ].join('|'),
  'gu',
);
// Emoji that are shown as text unless a variation selector follows.
const TEXT_EMOJI =
  /(?!\p{ASCII}|\p{Emoji_Presentation})\p{Emoji}(?!\p{Emoji_Modifier})|[0-9#*](?=\u20E3)/gu;

/** Returns the id of the public room with a typed name; null if the name is invalid (P-5.1). */
export function foldRoomName(typed: string): string | null {
  const name = typed.trim().normalize('NFKC').replace(NEEDED, '');
  const folded = foldCase(name).normalize('NFKC');
  if (!ROOM_NAME.test(folded) || INVISIBLE.test(folded)) return null;
  return countChars(folded) > ROOM_NAME_CHARS ? null : folded;
}

/** Returns the id for a reference to a room; null if it is no valid reference (P-5.1). */
export function toRoomId(typed: string): string | null {
  return typed === OWN_ROOM || DIRECT_ROOM.test(typed) ? typed : foldRoomName(typed);
}

/**
 * Returns whether an id has the form of a direct room's id; the room may not exist (P-5.16).
 *
 * The ids of other rooms do not show their kind.
 */
export function isDirectRoomId(id: string): boolean {
  return DIRECT_ROOM.test(id);
}

/** Returns a display name after NFKC and trimming; null if it is invalid (P-2.6). */
export function normalizeDisplayName(typed: string): string | null {
  const name = typed.normalize('NFKC').trim().replace(EMOJI_VARIANT, '');
  if (!isVisible(name.replace(NEEDED, '')) || countChars(name) > DISPLAY_NAME_CHARS) return null;
  return name;
}

/** Returns a key that ignores case, Unicode form and joiners of a display name (P-2.6). */
export function foldDisplayName(name: string): string {
  return foldCase(name.normalize('NFKC').replace(JOINERS, '').trim()).normalize('NFKC');
}

/** Returns the canonical form of an emoji or short code; null if it is invalid (P-6.9). */
export function normalizeReaction(typed: string): string | null {
  const plain = typed
    .normalize('NFC')
    .trim()
    .replace(/\p{Variation_Selector}/gu, '');
  if (!isVisible(plain.replace(NEEDED, '')) || /\s/u.test(plain)) return null;
  const emoji = plain.replace(TEXT_EMOJI, '$&\uFE0F');
  return countChars(emoji) > REACTION_CHARS ? null : emoji;
}

/** Returns whether a text has no visible character (P-6.2). */
export function isBlank(text: string): boolean {
  return !ASCII_VISIBLE.test(text) && !VISIBLE_IN_TEXT.test(text);
}

/** Returns a title or file name after NFC and trimming; null if it is invalid (P-5.1). */
export function normalizeLabel(typed: string, maxChars: number): string | null {
  const label = typed.normalize('NFC').trim();
  if (!isVisible(label.replace(ATTACHED, '')) || countChars(label) > maxChars) return null;
  return label;
}

/** Returns a text without invisible characters and joiners that have no effect (P-2.6). */
export function removeInvisible(text: string): string {
  const needed = new Set(Array.from(text.matchAll(NEEDED), ({ index }) => index));
  return text
    .replace(JOINERS, (joiner, index: number) => (needed.has(index) ? joiner : ''))
    .replace(ALL_INVISIBLE, '');
}

/** Folds case. Upper case maps ß to SS, but not ẞ; the lower case of Σ depends on its context. */
function foldCase(text: string): string {
  return text.toLowerCase().toUpperCase().toLowerCase().replaceAll('ς', 'σ');
}

function isVisible(text: string): boolean {
  return VISIBLE.test(text) && !INVISIBLE.test(text);
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
