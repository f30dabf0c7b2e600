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

/** Clauses that no server can be tried for, with the reason. */
const NOT_TESTABLE: Readonly<Record<string, string>> = {
  'P-1.2': 'says what words mean',
  'P-5.10': 'is a rule for clients',
};

/** Clauses that need more than one server and one transport, with the file that tries them. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  'P-4.4': 'gateways.spec.ts',
  'P-10.6': 'other-transport.spec.ts',
};

const cited = new Set(requirements.flatMap((requirement) => requirement.clauses));

test('every clause is tried, or has a reason why not', () => {
  const excused = new Set([...Object.keys(NOT_TESTABLE), ...Object.keys(ELSEWHERE)]);

  const forgotten = clauses().filter((clause) => !cited.has(clause) && !excused.has(clause));

  assert.deepEqual(forgotten, []);
});

test('every clause that is named exists', () => {
  const known = new Set(clauses());
  const named = [...cited, ...Object.keys(NOT_TESTABLE), ...Object.keys(ELSEWHERE)];

  assert.deepEqual(
    named.filter((clause) => !known.has(clause)),
    [],
  );
});

test.each(Object.entries(ELSEWHERE))('%s is tried in %s', (clause, file) => {
  assert(existsSync(`${FOLDER}/${file}`));
  assert(readFileSync(`${FOLDER}/${file}`, 'utf8').includes(`${clause} `));
});

test.each(Object.keys(OPEN))('%s has a file that runs every requirement over it', (transport) => {
  const file = `${FOLDER}/${transport.replace(/\W/g, '-')}.spec.ts`;

  assert(readFileSync(file, 'utf8').includes(`describeTransport(managedTransport('${transport}'`));
});

test('every requirement is about a transport that exists', () => {
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

test('every section file is part of the suite', () => {
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

test('P-4.6 lists the close codes for breaches at the level of frames', () => {
  const { normal, ...breaches } = FrameCloseCode;

  assert.equal(normal, 1000);
  assert.deepEqual(
    table('P-4.6').map(([code]) => Number(code)),
    Object.values(breaches),
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
