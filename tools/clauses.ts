/** The clause of docs/protocol.md that describes a command or an event. */
export interface Clause {
  /** Number of the clause, such as `P-5.2`. */
  readonly number: string;
  /** Its paragraph about the purpose, if there is one. */
  readonly purpose: string | undefined;
}

/** Direction of a frame; a command and an event may have the same name. */
export type Direction = 'client → server' | 'server → client';

const HEADING = /^###? (P-\d+\.\d+) /;
const MARK = /^(.*)\*\*Direction:\*\* (client → server|server → client)/;

/** Finds the clause of each command or event, by name, in the text of docs/protocol.md. */
export function clausesIn(docs: string, direction: Direction): Map<string, Clause> {
  const clauses = new Map<string, Clause>();
  const lines = docs.split('\n');
  let heading = '';
  let number = '';
  for (const [index, line] of lines.entries()) {
    const clause = HEADING.exec(line)?.[1];
    if (clause !== undefined) [heading, number] = [line, clause];
    const mark = MARK.exec(line);
    if (mark?.[2] !== direction) continue;
    const purpose = proseIn(lines[index + 2]);
    for (const name of namesIn(mark[1] || heading)) clauses.set(name, { number, purpose });
  }
  return clauses;
}

function namesIn(text: string): string[] {
  return [...text.matchAll(/`([\w.]+)`/g)].map(([, name = '']) => name);
}

function proseIn(line: string | undefined): string | undefined {
  return line !== undefined && /^[A-Z]/.test(line) ? line : undefined;
}
