import { readFileSync } from 'node:fs';

import { announcedOf, DEFAULT_LIMITS } from '#src/protocol/limits.js';

// Relative to the working directory: Jest provides no URL of the compiled module.
const TEXT = readFileSync('docs/protocol.md', 'utf8');

/** A block of the document between fences. */
export interface Block {
  /** The info string: `json command`, `session`, … */
  readonly info: string;
  readonly text: string;
  /** Line of the fence, from 1. */
  readonly line: number;
  /** Command that a comment before the block names. */
  readonly replyTo: string | undefined;
}

/** Returns the clauses of docs/protocol.md in order, such as `P-3.2`. */
export function clauses(): string[] {
  return [...TEXT.matchAll(/^### (P-\d+\.\d+) /gm)].map(([, clause = '']) => clause);
}

/** Returns the fenced blocks of docs/protocol.md whose info begins with a word. */
export function blocks(word: string): Block[] {
  const fenced = /(?:<!-- reply to ([\w.]+) -->\s*)?^```([^\n]*)\n([\s\S]*?)^```$/gm;
  return [...TEXT.matchAll(fenced)]
    .map(({ 0: whole, 1: replyTo, 2: info = '', 3: text = '', index }) => {
      const before = TEXT.slice(0, index + whole.indexOf('```'));
      return { info, text, replyTo, line: before.split('\n').length };
    })
    .filter(({ info }) => info.split(' ')[0] === word);
}

/** Parses an example; an empty `limits` stands for the defaults (P-2.4). */
export function parseExample(text: string): unknown {
  return JSON.parse(text, (key, value: unknown) => {
    const isLeftOut = key === 'limits' && JSON.stringify(value) === '{}';
    return isLeftOut ? announcedOf(DEFAULT_LIMITS) : value;
  });
}

/** Returns the rows of the table in a clause, each as its cells without code marks. */
export function table(clause: string): string[][] {
  const start = TEXT.indexOf(`\n### ${clause} `);
  const section = TEXT.slice(start + 1, TEXT.indexOf('\n### ', start + 1));
  return section
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) => line.split('|').slice(1, -1))
    .map((cells) => cells.map((cell) => cell.trim().replace(/^`(.*)`$/, '$1')))
    .slice(2);
}

/** Returns the headings of the fourth level in a clause, without code marks. */
export function headings(clause: string): string[] {
  const start = TEXT.indexOf(`\n### ${clause} `);
  const section = TEXT.slice(start + 1, TEXT.indexOf('\n### ', start + 1));
  return [...section.matchAll(/^#### `(.*)`$/gm)].map(([, heading = '']) => heading);
}
