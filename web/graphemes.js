const segmenter =
  Intl.Segmenter === undefined ? null : new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** Returns the first characters of a text as people count them, and whether there are more. */
export function cutGraphemes(text, count) {
  let start = '';
  let taken = 0;
  for (const grapheme of graphemesOf(text)) {
    if (taken++ === count) return { start, isCut: true };
    start += grapheme;
  }
  return { start, isCut: false };
}

function* graphemesOf(text) {
  // Firefox before 125 has no segmenter; code points at least halve no character.
  if (segmenter === null) yield* text;
  else for (const { segment } of segmenter.segment(text)) yield segment;
}
