import { createRequire } from 'node:module';

import { Ajv } from 'ajv';
import { parse } from 'yaml';

import { COMMANDS } from '#src/protocol/commands.js';
import { EVENTS } from '#src/protocol/events.js';

import { read } from '../../tools/import-graph.js';

interface Reference {
  readonly $ref: string;
}

interface Operation {
  readonly action: 'send' | 'receive';
  readonly channel: Reference;
  readonly messages: readonly Reference[];
  readonly reply?: { readonly channel: Reference; readonly messages: readonly Reference[] };
}

interface AsyncApiDocument {
  readonly asyncapi: string;
  readonly operations: Readonly<Record<string, Operation>>;
}

const document = parse(read('docs/asyncapi.yaml')) as AsyncApiDocument;

/** The schema of AsyncAPI brings its own copy of the meta-schema, which Ajv must not add as well. */
const OPTIONS = { strict: false, validateFormats: false, meta: false, validateSchema: false };

/** Returns the JSON Schema of AsyncAPI documents of the version of the document. */
function metaSchema(): object {
  const require = createRequire(import.meta.url);
  return require(`@asyncapi/specs/schemas/${document.asyncapi}.json`) as object;
}

/** Resolves a JSON pointer within the document; returns undefined if it points to nothing. */
function resolve({ $ref }: Reference): unknown {
  const keys = $ref.replace(/^#\//, '').split('/');
  return keys.reduce<unknown>(
    (value, key) =>
      (value as Record<string, unknown> | undefined)?.[
        key.replaceAll('~1', '/').replaceAll('~0', '~')
      ],
    document,
  );
}

/** Returns every reference in a value. */
function referencesIn(value: unknown): Reference[] {
  if (typeof value !== 'object' || value === null) return [];
  if ('$ref' in value) return [value as Reference];
  return Object.values(value).flatMap(referencesIn);
}

test('docs/asyncapi.yaml is a valid AsyncAPI document', () => {
  const ajv = new Ajv(OPTIONS);

  ajv.validate(metaSchema(), document);

  expect(ajv.errors ?? []).toEqual([]);
});

test('every reference in docs/asyncapi.yaml can be resolved', () => {
  const references = referencesIn(document);

  expect(references.length).toBeGreaterThan(0);
  expect(references.filter((reference) => resolve(reference) === undefined)).toEqual([]);
});

describe.each(['webSocket', 'socketIo'])('docs/asyncapi.yaml, channel %s', (channel) => {
  const message = (name: string): Reference => ({ $ref: `#/channels/${channel}/messages/${name}` });

  test.each(Object.keys(COMMANDS))('has the command %s with its replies', (name) => {
    expect(document.operations[`${channel}.${name}.command`]).toMatchObject({
      action: 'receive',
      channel: { $ref: `#/channels/${channel}` },
      messages: [message(`${name}.command`)],
      reply: { messages: [message(`${name}.reply`), message('failed.reply')] },
    });
  });

  test.each(Object.keys(EVENTS))('has the event %s', (name) => {
    const operation = document.operations[`${channel}.${name}.event`];

    expect(operation).toMatchObject({ action: 'send', messages: [message(`${name}.event`)] });
    expect(operation?.messages.map(resolve)).toMatchObject([{ name }]);
  });

  test('has nothing else', () => {
    const operations = Object.keys(document.operations);
    const count = Object.keys(COMMANDS).length + Object.keys(EVENTS).length;

    expect(operations.filter((id) => id.startsWith(`${channel}.`))).toHaveLength(count);
  });
});
