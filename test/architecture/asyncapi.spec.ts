import { Parser, type AsyncAPIDocumentInterface } from '@asyncapi/parser';

import { COMMANDS } from '#src/protocol/commands.js';
import { EVENTS } from '#src/protocol/events.js';

import { read } from './sources.js';

let document: AsyncAPIDocumentInterface;

beforeAll(async () => {
  const parsed = await new Parser().parse(read('docs/asyncapi.yaml'));
  // That there is a newer version of AsyncAPI is no fault.
  const faults = parsed.diagnostics.filter(({ code }) => code !== 'asyncapi-latest-version');
  expect(faults).toEqual([]);
  document = parsed.document as AsyncAPIDocumentInterface;
}, 60_000);

describe.each(['webSocket', 'socketIo'])('docs/asyncapi.yaml, channel %s', (channel) => {
  test.each(Object.keys(COMMANDS))('has the command %s with its replies', (name) => {
    const operation = document.operations().get(`${channel}.${name}.command`);

    expect(operation?.isReceive()).toBe(true);
    expect(operation?.messages().all()).toHaveLength(1);
    const replies = operation
      ?.reply()
      ?.messages()
      .all()
      .map((message) => message.id());
    expect(replies).toEqual([`${name}.reply`, 'failed.reply']);
  });

  test.each(Object.keys(EVENTS))('has the event %s', (name) => {
    const operation = document.operations().get(`${channel}.${name}.event`);

    expect(operation?.isSend()).toBe(true);
    expect(
      operation
        ?.messages()
        .all()
        .map((message) => message.name()),
    ).toEqual([name]);
  });

  test('has nothing else', () => {
    const operations = document
      .operations()
      .all()
      .map((operation) => operation.id() ?? '');
    const count = Object.keys(COMMANDS).length + Object.keys(EVENTS).length;

    expect(operations.filter((id) => id.startsWith(`${channel}.`))).toHaveLength(count);
  });
});
