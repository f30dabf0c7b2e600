import { readdirSync } from 'node:fs';
import { join } from 'node:path';

import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';

import { commandExamples, eventExamples, replyExamples } from './examples.js';
import { read, ROOT } from '../../tools/import-graph.js';

const FOLDER = 'docs/schemas';

const ajv = new Ajv2020({ strict: true, allErrors: true });
const schemas = new Map<string, ValidateFunction>();

beforeAll(() => {
  for (const name of readdirSync(join(ROOT, FOLDER))) {
    schemas.set(name, ajv.compile(JSON.parse(read(`${FOLDER}/${name}`)) as object));
  }
});

/** Returns the errors that a schema reports for data; a missing schema is an error. */
function faults(name: string, data: unknown): string[] {
  const validate = schemas.get(name);
  if (validate === undefined) return [`there is no ${FOLDER}/${name}`];
  if (validate(data)) return [];
  return (validate.errors ?? []).map((error) => `${error.instancePath} ${error.message ?? ''}`);
}

describe('the JSON Schemas', () => {
  test.each(commandExamples())('accept the example of the command $cmd', ({ cmd, data }) => {
    expect(faults(`${cmd}.command.json`, data)).toEqual([]);
  });

  test.each(replyExamples())('accept the example of a reply to $to', ({ to, ok, data, error }) => {
    expect(ok ? faults(`${to}.reply.json`, data) : faults('error.json', error)).toEqual([]);
  });

  test.each(eventExamples())('accept the example of the event $event', ({ event, data }) => {
    expect(faults(`${event}.event.json`, data)).toEqual([]);
  });

  test('reject an unknown field of a command', () => {
    expect(faults('room.leave.command.json', { room: 'lobby', now: true })).toHaveLength(1);
  });

  test('allow an unknown field of an event', () => {
    expect(faults('session.ping.event.json', { at: 1, more: 2 })).toEqual([]);
  });
});
