import { isDeepStrictEqual } from 'node:util';

import type { JsonSchema } from './json-schemas.js';

const HERE = '#/components/schemas/';

/** The schemas of a document, each under one name; nested definitions move to the top level. */
export class SchemaCollection {
  private readonly schemas = new Map<string, JsonSchema>();

  /** Adds a schema with its definitions; returns a reference to it. */
  add(name: string, { $schema, definitions = {}, ...schema }: JsonSchema): JsonSchema {
    for (const [model, definition] of Object.entries(definitions as Record<string, JsonSchema>)) {
      this.put(model, definition);
    }
    const own = relocate(schema);
    if (isReference(own)) return own;
    this.put(name, own);
    return { $ref: HERE + name };
  }

  /** Returns all schemas, sorted by name. */
  sorted(): JsonSchema {
    return Object.fromEntries([...this.schemas].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  private put(name: string, schema: JsonSchema): void {
    const relocated = relocate(schema);
    const before = this.schemas.get(name);
    if (before !== undefined && !isDeepStrictEqual(before, relocated)) {
      throw new Error(`Two different schemas have the name ${name}`);
    }
    this.schemas.set(name, relocated);
  }
}

/** Returns a schema whose references point to the schemas of the document. */
function relocate(schema: JsonSchema): JsonSchema {
  const text = JSON.stringify(schema).replaceAll('"#/definitions/', `"${HERE}`);
  return JSON.parse(text) as JsonSchema;
}

function isReference(schema: JsonSchema): boolean {
  return Object.keys(schema).length === 1 && '$ref' in schema;
}
