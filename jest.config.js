import { availableParallelism } from 'node:os';

const { TARGET, TEST_DATABASE_URL } = process.env;

/** The tests that run on one database, as a project of Jest. */
const project = (database, ...specs) => ({
  displayName: database,
  testEnvironment: 'node',
  testMatch: specs.map((spec) => `<rootDir>/test/${spec}.spec.ts`),
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: {
    '^(\\.{1,2}/.*)\\.js$': '$1',
    '^#src/(.*)\\.js$': '<rootDir>/src/$1',
    '^#client/(.*)\\.js$': '<rootDir>/client/$1',
    '^parlance$': '<rootDir>/src/index',
    '^parlance/testing$': '<rootDir>/src/harness/index',
  },
  transform: { '^.+\\.ts$': '@swc/jest' },
  setupFiles: ['reflect-metadata', `<rootDir>/test/support/on-${database}.ts`],
});

const projects = [project('sqlite', '**/!(target)')];
if (TEST_DATABASE_URL !== undefined) {
  projects.push(project('postgres', 'conformance/!(target)', 'integration/*', 'dialects/*'));
}

/** @type {import('jest').Config} */
export default {
  // With TARGET, one server is judged from outside: there is nothing else to test then.
  projects: TARGET === undefined ? projects : [project('sqlite', 'conformance/target')],
  testTimeout: 60_000,
  // Half of the time a test waits, for a disk or a clock; Jest would even leave one core idle.
  maxWorkers: Math.ceil(availableParallelism() * 1.5),
  // Modules of one file are never freed in a process: without this, collecting garbage takes long.
  workerIdleMemoryLimit: '1GB',
};
