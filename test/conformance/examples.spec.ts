import assert from 'node:assert/strict';

import { checkCommand } from '#src/protocol/codec.js';
import { COMMANDS, type CommandName } from '#src/protocol/commands.js';
import { EVENTS, type EventName } from '#src/protocol/events.js';
import { CommandId } from '#src/protocol/frames.js';

import { blocks, parseExample, type Block } from '../support/document.js';

interface Example extends Block {
  readonly frame: Record<string, unknown>;
}

function examples(kind: string): Example[] {
  return blocks('json')
    .filter(({ info }) => info === `json ${kind}`)
    .map((block) => ({ ...block, frame: parseExample(block.text) as Example['frame'] }));
}

const titled = (kind: string) =>
  examples(kind).map((example) => [`${kind} in line ${String(example.line)}`, example] as const);

/** Lists the paths of all fields of a value, for comparison. */
function paths(value: unknown, at = ''): string[] {
  if (typeof value !== 'object' || value === null) return [at];
  return Object.entries(value).flatMap(([key, child]) => paths(child, `${at}.${key}`));
}

/** Checks that a schema accepts data and knows all its fields. */
function decodes(schema: { parse(data: unknown): unknown }, data: unknown): void {
  const decoded: unknown = JSON.parse(JSON.stringify(schema.parse(data)));
  assert.deepEqual(paths(decoded).sort(), paths(data).sort());
}

/** Checks the data of an event, including those in a page of a replay. */
function decodesEvent({ event, data }: { event: string; data: unknown }): void {
  assert(event in EVENTS, `${event} is an event`);
  decodes(EVENTS[event as EventName], data);
}

test('there are examples of every kind', () => {
  for (const kind of ['command', 'reply', 'event']) assert(examples(kind).length > 5, kind);
});

test('every JSON block has a kind', () => {
  const kinds = ['json command', 'json reply', 'json event'];

  assert.deepEqual(
    blocks('json').filter(({ info }) => !kinds.includes(info)),
    [],
  );
});

test.each(titled('command'))('%s matches the schema of its command', (_title, { frame }) => {
  const { cmd, data } = checkCommand(frame);

  assert(cmd in COMMANDS, `${cmd} is a command`);
  decodes(COMMANDS[cmd as CommandName].data, data);
});

test.each(titled('reply'))('%s matches the schema of its reply', (_title, { frame, replyTo }) => {
  assert(replyTo !== undefined, 'a comment names the command');
  assert(replyTo in COMMANDS, `${replyTo} is a command`);
  assert(CommandId.safeParse(frame['re']).success);
  if (frame['ok'] === true) {
    assert.deepEqual(Object.keys(frame), ['re', 'ok', 'data']);
    decodes(COMMANDS[replyTo as CommandName].reply, frame['data']);
    const { events = [] } = frame['data'] as { events?: { event: string; data: unknown }[] };
    for (const event of events) decodesEvent(event);
  } else {
    assert.deepEqual(Object.keys(frame), ['re', 'ok', 'error']);
    decodes(EVENTS.error, { error: frame['error'] });
  }
});

test.each(titled('event'))('%s matches the schema of its event', (_title, { frame }) => {
  assert.deepEqual(Object.keys(frame), ['event', 'data']);
  decodesEvent(frame as { event: string; data: unknown });
});

test('every command has an example, and one of its reply', () => {
  const shown = new Set(examples('command').map(({ frame }) => frame['cmd']));
  const answered = new Set(examples('reply').map(({ replyTo }) => replyTo));

  const missing = Object.keys(COMMANDS).filter((cmd) => !shown.has(cmd) || !answered.has(cmd));

  assert.deepEqual(missing, []);
});

test('every event has an example', () => {
  const shown = new Set(examples('event').map(({ frame }) => frame['event']));

  assert.deepEqual(
    Object.keys(EVENTS).filter((event) => !shown.has(event)),
    [],
  );
});
