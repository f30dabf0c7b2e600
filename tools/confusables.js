// Writes src/users/confusables.ts from confusables.txt of Unicode (UTS #39). After a new version:
//   curl -O https://www.unicode.org/Public/security/latest/confusables.txt
//   node tools/confusables.js confusables.txt
import { readFileSync, writeFileSync } from 'node:fs';

const TARGET = 'src/users/confusables.ts';
// source ; target ; type: code points in hexadecimal, separated by spaces
const LINE = /^\s*([0-9A-F ]+?)\s*;\s*([0-9A-F ]+?)\s*;/;
const LETTERS_PER_LINE = 40;

const [file] = process.argv.slice(2);
if (file === undefined) throw new Error('Pass the file: node tools/confusables.js confusables.txt');
const text = readFileSync(file, 'utf8');
const [, version] = /^# Version: (\S+)/m.exec(text);

/** Returns a text as ReservedNames compares it: without case, marks and signs. */
function fold(string) {
  return string
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, '')
    .replaceAll('l', 'i');
}

function toText(codePoints) {
  return String.fromCodePoint(...codePoints.split(/\s+/).map((hex) => parseInt(hex, 16)));
}

/** Returns a map from letters and digits of other scripts to the ASCII text that they look like. */
function readConfusables() {
  const exact = new Map();
  const lowerCase = new Map();
  for (const line of text.split('\n')) {
    const match = LINE.exec(line);
    if (match === null) continue;
    const source = toText(match[1]);
    const target = fold(toText(match[2]));
    const letter = source.normalize('NFKD').toLowerCase().replace(/\p{M}/gu, '');
    const isLetter = /^(?![a-z])[\p{L}\p{N}\p{S}]$/u.test(letter);
    if (!isLetter || !/^[a-z0-9]{1,3}$/.test(target) || fold(letter) === target) continue;
    // If an upper-case letter looks like another, its lower-case letter counts as similar too.
    (source === letter ? exact : lowerCase).set(letter, target);
  }
  return new Map([...lowerCase, ...exact]);
}

const byTarget = new Map();
for (const [letter, target] of [...readConfusables()].sort()) {
  byTarget.set(target, [...(byTarget.get(target) ?? []), letter]);
}

const entries = [...byTarget].sort().map(([target, letters]) => {
  const lines = [];
  for (let at = 0; at < letters.length; at += LETTERS_PER_LINE) {
    lines.push(
      `'${letters
        .slice(at, at + LETTERS_PER_LINE)
        .join('')
        .replaceAll("'", "\\'")}'`,
    );
  }
  return `  ['${target}', ${lines.join(' +\n    ')}],`;
});

writeFileSync(
  TARGET,
  `// Made by tools/confusables.js from confusables.txt ${version} of Unicode (UTS #39).
// © Unicode, Inc.; license: https://www.unicode.org/license.txt

/** Letters that look like a Latin letter, a digit, or several of them; \`l\` stands as \`i\`. */
export const CONFUSABLES: readonly (readonly [target: string, letters: string])[] = [
${entries.join('\n')}
];
`,
);
console.log(`wrote ${TARGET}`);
