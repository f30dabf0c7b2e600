import { foldRoomName } from '#src/protocol/names.js';

const LAST_OF_PLANE_1 = 0x1ffff;
/** Contexts of a letter: some case mappings depend on the neighbouring letters. */
const AROUND = [
  ['a', ''],
  ['a', 'a'],
  ['a-', '-'],
  ['aΣ', 'Σ'],
  ['a', '\u0301'],
  ['ai', '\u0307'],
  ['aα', '\u0345'],
] as const;

/** Yields every letter, mark and digit of the first two planes. */
function* letters(): Generator<string> {
  for (let code = 0; code <= LAST_OF_PLANE_1; code++) {
    if (code >= 0xd800 && code <= 0xdfff) continue;
    const letter = String.fromCodePoint(code);
    if (/[\p{L}\p{M}\p{N}]/u.test(letter)) yield letter;
  }
}

test('a room id folds to itself, whatever its letters', () => {
  const unstable: string[] = [];
  for (const letter of letters()) {
    for (const [before, after] of AROUND) {
      const id = foldRoomName(before + letter + after);
      if (id !== null && foldRoomName(id) !== id) unstable.push(before + letter + after);
    }
  }
  expect(unstable).toEqual([]);
});

test('a name folds to the same id in upper case, lower case and each normalization form', () => {
  const forms = (text: string) => [
    ...[text.toUpperCase(), text.toLowerCase(), text.toUpperCase().toLowerCase()],
    ...(['NFC', 'NFD', 'NFKC', 'NFKD'] as const).map((form) => text.normalize(form)),
  ];
  const different: string[] = [];
  for (const letter of letters()) {
    const id = foldRoomName(`a${letter}`);
    for (const form of forms(`a${letter}`)) {
      if (foldRoomName(form) !== id) different.push(form);
    }
  }
  expect(different).toEqual([]);
});
