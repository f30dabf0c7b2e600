import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';

import { CloseCode, FrameCloseCode } from '#src/protocol/close-codes.js';
import { ERRORS } from '#src/protocol/errors.js';
import { LOG_EVENTS } from '#src/protocol/events.js';
import { DEFAULT_LIMITS } from '#src/protocol/limits.js';

import { clauses, headings, table } from '../support/document.js';
import { requirements } from './index.js';
import { OPEN } from './transports.js';

const FOLDER = 'test/conformance';

/** Clauses that cannot be tested on a server, with the reason. */
const NOT_TESTABLE: Readonly<Record<string, string>> = {
  'P-1.2': 'defines terms',
  'P-5.10': 'is a rule for clients',
};

/** Clauses that need more than one server and one transport, with the file that tests them. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  'P-4.4': 'gateways.spec.ts',
  'P-10.6': 'other-transport.spec.ts',
};

const cited = new Set(requirements.flatMap((requirement) => requirement.clauses));

test('every clause has a test or a reason why not', () => {
  const excused = new Set([...Object.keys(NOT_TESTABLE), ...Object.keys(ELSEWHERE)]);

  const untested = clauses().filter((clause) => !cited.has(clause) && !excused.has(clause));

  assert.deepEqual(untested, []);
});

test('every cited clause exists', () => {
  const known = new Set(clauses());
  const all = [...cited, ...Object.keys(NOT_TESTABLE), ...Object.keys(ELSEWHERE)];

  assert.deepEqual(
    all.filter((clause) => !known.has(clause)),
    [],
  );
});

test.each(Object.entries(ELSEWHERE))('%s is tested in %s', (clause, file) => {
  assert(existsSync(`${FOLDER}/${file}`));
  assert(readFileSync(`${FOLDER}/${file}`, 'utf8').includes(`${clause} `));
});

test.each(Object.keys(OPEN))('%s has a file that runs the requirements over it', (transport) => {
  const file = `${FOLDER}/${transport.replace(/\W/g, '-')}.spec.ts`;

  assert(readFileSync(file, 'utf8').includes(`describeTransport(managedTransport('${transport}'`));
});

test.each(['in-memory', 'websocket'])(
  '%s runs the requirements about the core, too',
  (transport) => {
    const file = readFileSync(`${FOLDER}/${transport}.spec.ts`, 'utf8');

    assert(!file.includes('binding'));
  },
);

test('no requirement about the core names a transport', () => {
  const only = requirements.filter((requirement) => requirement.isCore && requirement.only);

  assert.deepEqual(
    only.map(({ title }) => title),
    [],
  );
});

test('every requirement names existing transports', () => {
  const named = requirements.flatMap(({ only = [] }) => only);

  assert.deepEqual(
    named.filter((name) => !(name in OPEN)),
    [],
  );
});

test('no two requirements have the same title', () => {
  const titles = requirements.map(({ clauses: list, title }) => `${list.join()} ${title}`);

  assert.deepEqual(
    titles.filter((title, index) => titles.indexOf(title) !== index),
    [],
  );
});

test('the suite includes every chapter file', () => {
  const index = readFileSync(`${FOLDER}/index.ts`, 'utf8');
  const sections = [...readdirSync(FOLDER)].filter((file) => /^\d\d-[\w-]+\.ts$/.test(file));

  assert.deepEqual(
    sections.filter((file) => !index.includes(`./${file.replace('.ts', '.js')}`)),
    [],
  );
});

test('P-4.2 lists the error codes of the server, each with a heading', () => {
  const codes = Object.entries(ERRORS).map(([code, { retryable }]) => [
    code,
    retryable ? 'yes' : 'no',
  ]);

  assert.deepEqual(
    table('P-4.2').map(([code, retryable]) => [code, retryable]),
    codes,
  );
  assert.deepEqual(headings('P-4.2'), Object.keys(ERRORS));
});

test('P-4.5 lists the close codes of the server', () => {
  const rows = table('P-4.5').map(([code, name]) => [name, Number(code)]);

  const codes = rows.filter(([, code]) => !Number.isNaN(code));

  assert.deepEqual(Object.fromEntries(codes), CloseCode);
});

test('P-4.6 lists the close codes for violations at the level of frames', () => {
  const { normal, ...violations } = FrameCloseCode;

  assert.equal(normal, 1000);
  assert.deepEqual(
    table('P-4.6').map(([code]) => Number(code)),
    Object.values(violations),
  );
});

test('P-5.8 lists the events of a log', () => {
  assert.deepEqual(
    table('P-5.8').map(([event]) => event),
    Object.keys(LOG_EVENTS),
  );
});

test('P-9.1 lists the limits of the server with their defaults', () => {
  const limits = table('P-9.1').map(([name = '', value]) => [name, Number(value)]);

  assert.deepEqual(Object.fromEntries(limits), DEFAULT_LIMITS);
});
