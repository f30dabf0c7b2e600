import { availableParallelism } from 'node:os';

// Processes that decode images run from sources, too; workers and their children inherit this.
const loader = new URL('./test/support/source-loader.js', import.meta.url);
process.env.NODE_OPTIONS = `${process.env.NODE_OPTIONS ?? ''} --import=${loader}`;

const { TARGET, TEST_DATABASE_URL } = process.env;

/** The tests that run on one database, as a project of Jest; test/README.md tells how they load. */
const project = (database, ...specs) => ({
  displayName: database,
  runtime: '<rootDir>/test/runner/runtime.cjs',
  testEnvironment: '<rootDir>/test/runner/environment.js',
  // The runtime compiles; by default each worker would load Babel.
  transform: {},
  // Servers in the process of a test serve the page as it is built.
  globalSetup: '<rootDir>/tools/build-page.js',
  testMatch: specs.map((spec) => `<rootDir>/test/${spec}.spec.ts`),
});

/** Integration tests to which it makes no difference which database is used. */
const WITHOUT_DATABASE = [
  'address-warnings',
  'bench',
  'chaos-proxy',
  'config',
  'embedding',
  'embedding-mistakes',
  'faulty-transport',
  'file-corpus',
  'first-session',
  'image-turns',
  'images',
  'logs',
  'names',
  'old-clients',
  'pages',
  'scratch-services',
];

const projects = [project('sqlite', '**/!(target)')];
if (TEST_DATABASE_URL !== undefined) {
  projects.push(
    project(
      'postgres',
      'conformance/{cluster,examples,gateways,order,replay,session,websocket}',
      `integration/!(${WITHOUT_DATABASE.join('|')})`,
      'dialects/{mixed-room,returning}',
      'chaos/{bus-faults,chaos}',
    ),
  );
}

/** @type {import('jest').Config} */
export default {
  // With TARGET, one server is judged from outside: there is nothing else to test then.
  projects: TARGET === undefined ? projects : [project('sqlite', 'conformance/target')],
  reporters: [
    '<rootDir>/test/runner/progress.reporter.js',
    'summary',
    '<rootDir>/test/runner/skipped-tests.reporter.js',
  ],
  testSequencer: '<rootDir>/test/runner/longest-first.js',
  testTimeout: 60_000,
  // Half of the time a test waits, for a disk or a clock; Jest would even leave one core idle.
  maxWorkers: Math.ceil(availableParallelism() * 1.5),
  // Tests leave objects behind in a worker; a new worker has little garbage to collect.
  workerIdleMemoryLimit: '1GB',
  // A busy machine needs longer than Jest's half a second to end a worker.
  workerGracefulExitTimeout: 20_000,
};
