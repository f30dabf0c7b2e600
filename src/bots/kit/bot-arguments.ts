import type { z } from 'zod';

/** Thrown for arguments that do not match the schema; the message is shown to the user. */
export class BotArgumentsError extends Error {
  override readonly name = 'BotArgumentsError';
}

const WORDS = /"([^"]*)"|“([^”]*)”|(\S+)/gu;

/** Splits a text at spaces; quotes keep words together. */
export function splitWords(text: string): string[] {
  return [...text.matchAll(WORDS)].map(([, plain, curly, word]) => plain ?? curly ?? word ?? '');
}

/**
 * Parses the arguments of a command by its schema: an object by the order of its fields, an array
 * as words, anything else as the whole text.
 *
 * @throws BotArgumentsError
 */
export async function parseArguments(schema: z.ZodType, text: string): Promise<unknown> {
  const result = await schema.safeParseAsync(rawArguments(schema, text));
  if (result.success) return result.data;
  const said = result.error.issues.map(({ path, message }) =>
    path.length === 0 ? message : `${path.join('.')}: ${message}`,
  );
  throw new BotArgumentsError(said.join('\n'));
}

/** Returns the names of the arguments of a schema, for help and completion. */
export function argumentNames(schema: z.ZodType): string[] {
  const outer = outermost(schema);
  return outer.type === 'object' ? Object.keys(outer.shape ?? {}) : [];
}

interface SchemaDef {
  readonly type: string;
  readonly in?: { readonly def: SchemaDef };
  readonly innerType?: { readonly def: SchemaDef };
  readonly shape?: Record<string, { readonly def: SchemaDef }>;
}

function outermost(schema: z.ZodType): SchemaDef {
  return unwrap(schema.def);
}

function unwrap(def: SchemaDef): SchemaDef {
  const inner = def.type === 'pipe' ? def.in : def.innerType;
  return inner === undefined ? def : unwrap(inner.def);
}

function rawArguments(schema: z.ZodType, text: string): unknown {
  const { type, shape = {} } = outermost(schema);
  if (type === 'array' || type === 'tuple') return splitWords(text);
  if (type !== 'object') return text.trim();
  const fields = Object.entries(shape).map(([name, { def }]) => ({ name, type: unwrap(def).type }));
  return assignWords(splitWords(text), fields);
}

interface Field {
  readonly name: string;
  readonly type: string;
}

function assignWords(words: readonly string[], fields: readonly Field[]): unknown {
  const takesRest = fields.at(-1)?.type === 'string';
  if (!takesRest && words.length > fields.length) {
    const names = fields.map(({ name }) => name).join(', ');
    throw new BotArgumentsError(`Too many words: use ${names === '' ? 'none' : names}.`);
  }
  const assigned: Record<string, unknown> = {};
  for (const [index, { name, type }] of fields.entries()) {
    const end = takesRest && index === fields.length - 1 ? words.length : index + 1;
    const word = words.slice(index, end).join(' ');
    if (word !== '') assigned[name] = type === 'number' ? Number(word) : word;
  }
  return assigned;
}
