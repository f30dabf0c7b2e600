import {
  countChars,
  DISPLAY_NAME_CHARS,
  normalizeDisplayName,
  removeInvisible,
} from '../protocol/names.js';

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/**
 * Returns the allowed display name closest to a typed one; null if no visible character remains.
 *
 * Pages of legacy clients do not show that a name was refused. A reserved name gets a number.
 */
export function allowedName(typed: string, isReserved: (name: string) => boolean): string | null {
  const name = shorten(removeInvisible(typed.normalize('NFKC')), DISPLAY_NAME_CHARS);
  if (name === null || !isReserved(name)) return name;
  for (let number = 2; ; number++) {
    const suffix = `-${String(number)}`;
    const numbered = `${shorten(name, DISPLAY_NAME_CHARS - suffix.length) ?? ''}${suffix}`;
    if (!isReserved(numbered)) return numbered;
  }
}

function shorten(name: string, maxChars: number): string | null {
  return normalizeDisplayName(cutGraphemes(name.trim(), maxChars));
}

/** Returns the first `maxChars` code points of a text, without splitting a grapheme. */
export function cutGraphemes(text: string, maxChars: number): string {
  if (countChars(text) <= maxChars) return text;
  let cut = '';
  let chars = 0;
  for (const { segment } of graphemes.segment(text)) {
    chars += countChars(segment);
    if (chars > maxChars) break;
    cut += segment;
  }
  // A single grapheme may exceed the limit.
  return cut === '' ? Array.from(text).slice(0, maxChars).join('') : cut;
}
