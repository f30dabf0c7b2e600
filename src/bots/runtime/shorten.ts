const MORE = '…';

/** Gives what of a text has room in a message, by code points; one that was cut ends in `…`. */
export function shorten(text: string, mostChars: number): string {
  if (text.length <= mostChars) return text;
  // A code point takes one or two units, so that this much tells whether there are more.
  const chars = Array.from(text.slice(0, 2 * (mostChars + 1)));
  return chars.length <= mostChars ? text : chars.slice(0, mostChars - 1).join('') + MORE;
}
