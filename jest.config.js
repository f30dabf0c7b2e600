// With TARGET, one server is judged from outside: there is nothing else to test then.
const specs = process.env.TARGET === undefined ? '**/*' : 'conformance/conformance';

/** @type {import('jest').Config} */
export default {
  testEnvironment: 'node',
  testMatch: [`<rootDir>/test/${specs}.spec.ts`],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: {
    '^(\\.{1,2}/.*)\\.js$': '$1',
    '^#src/(.*)\\.js$': '<rootDir>/src/$1',
    '^parlance$': '<rootDir>/src/index',
    '^parlance/testing$': '<rootDir>/src/harness/index',
  },
  transform: { '^.+\\.ts$': '@swc/jest' },
  setupFiles: ['reflect-metadata'],
  testTimeout: 20_000,
};
