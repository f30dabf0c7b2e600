import { CloseCode, FrameCloseCode } from '#src/protocol/close-codes.js';
import { COMMANDS } from '#src/protocol/commands.js';
import { ERRORS } from '#src/protocol/errors.js';
import { EVENTS } from '#src/protocol/events.js';
import { DEFAULT_LIMITS } from '#src/protocol/limits.js';

import { clausesIn, type Direction } from '../../tools/clauses.js';
import { commandExamples, eventExamples, replyExamples } from './examples.js';
import { read } from '../../tools/import-graph.js';

const docs = read('docs/protocol.md');

/** Returns the text of a clause, such as `P-4.2`, up to the next clause. */
function clause(number: string): string {
  const parts = docs.split(/^##+ (?=P-)/m);
  const found = parts.find((part) => part.startsWith(`${number} `));
  if (found === undefined) throw new Error(`docs/protocol.md has no clause ${number}`);
  return found;
}

/** Returns the rows of the tables in a text, without their heads and without code marks. */
function rows(text: string): string[][] {
  return [...text.matchAll(/^\|(.+)\|$/gm)]
    .map(([, row = '']) => row.split('|').map((cell) => cell.trim().replaceAll('`', '')))
    .filter((cells, index, all) => !isRule(cells) && !isRule(all[index + 1]));
}

const isRule = (cells: readonly string[] | undefined) =>
  cells?.every((cell) => /^[-:]+$/.test(cell)) === true;

const names = (direction: Direction) => [...clausesIn(docs, direction).keys()].sort();

describe('docs/protocol.md', () => {
  test('lists every error code, and whether it is retryable', () => {
    const listed = rows(clause('P-4.2')).map(([code, retryable]) => [code, retryable === 'yes']);

    expect(listed).toEqual(
      Object.entries(ERRORS).map(([code, { retryable }]) => [code, retryable]),
    );
  });

  test('has a heading for every error code', () => {
    const headings = [...docs.matchAll(/^#### `(\w+)`$/gm)].map(([, code]) => code);

    expect(headings).toEqual(Object.keys(ERRORS));
  });

  test('lists every close code of the server by its name', () => {
    const listed = rows(clause('P-4.5')).filter(([code = '']) => /^\d+$/.test(code));

    expect(listed.map(([code, name]) => [name, Number(code)])).toEqual(Object.entries(CloseCode));
  });

  test('lists every close code for a frame-level violation', () => {
    const violations = Object.values(FrameCloseCode).filter((code) => code !== 1000);

    expect(rows(clause('P-4.6')).map(([code]) => Number(code))).toEqual(violations);
  });

  test('lists every limit with its default', () => {
    const listed = rows(clause('P-9.1')).map(([name, value]) => [name, Number(value)]);

    expect(listed).toEqual(Object.entries(DEFAULT_LIMITS));
  });

  test('describes every command', () => {
    expect(names('client → server')).toEqual(Object.keys(COMMANDS).sort());
  });

  test('describes every event', () => {
    expect(names('server → client')).toEqual(Object.keys(EVENTS).sort());
  });

  test('has an example of every command, of its reply and of every event', () => {
    const commands = commandExamples().map(({ cmd }) => cmd);
    const replies = replyExamples().map(({ to }) => to);
    const events = eventExamples().map(({ event }) => event);

    expect(missing(Object.keys(COMMANDS), commands)).toEqual([]);
    expect(missing(Object.keys(COMMANDS), replies)).toEqual([]);
    expect(missing(Object.keys(EVENTS), events)).toEqual([]);
  });
});

function missing(names: readonly string[], given: readonly string[]): string[] {
  return names.filter((name) => !given.includes(name));
}
