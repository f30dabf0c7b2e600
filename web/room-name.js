import { cutGraphemes } from './graphemes.js';

const MOST_CHARS = 64;

/** Returns a valid room name (P-5.1) that resembles a text; null if no character of it is valid. */
export function suggestRoomName(typed) {
  const name = typed
    .normalize('NFKC')
    .toLowerCase()
    .replace(/\p{Default_Ignorable_Code_Point}/gu, '')
    .replace(/[^\p{L}\p{M}\p{N}_-]+/gu, '-')
    .replace(/^[-\p{M}]+|-+$/gu, '');
  const { start } = cutGraphemes(name, MOST_CHARS);
  const isShort = start !== '' && [...start].length <= MOST_CHARS;
  return isShort ? start : null;
}
