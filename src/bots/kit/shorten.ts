const ELLIPSIS = '…';

/** Shortens a text to a number of code points; a shortened text ends in `…`. */
export function shorten(text: string, maxChars: number): string {
  if (text.length <= maxChars) return text;
  // A code point has one or two UTF-16 units, so that this slice is long enough.
  const chars = Array.from(text.slice(0, 2 * (maxChars + 1)));
  return chars.length <= maxChars ? text : chars.slice(0, maxChars - 1).join('') + ELLIPSIS;
}
