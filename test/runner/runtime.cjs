/**
 * The runtime of Jest, without sandboxes: Node.js itself loads the spec files and what they import.
 *
 * Jest's own runtime evaluates every module again for each spec file, which for Nest, TypeORM and
 * the server takes longer than most spec files run. Here a module is loaded once per worker, so
 * that a spec file restores what it changes; `process.env` is restored by the environment.
 */
const asyncHooks = require('node:async_hooks');
const { register } = require('node:module');
const { pathToFileURL } = require('node:url');

register(pathToFileURL(require.resolve('../support/source-hooks.js')));

const { AsyncLocalStorage } = asyncHooks;
const isReplaceable =
  Object.getOwnPropertyDescriptor(asyncHooks, 'AsyncLocalStorage').writable === true;

let files = 0;

/**
 * The store in which Jest keeps the test that runs; tests run one after another.
 *
 * On Node.js 20, each AsyncLocalStorage that was ever used slows every later promise of the
 * process, and there would be one for each spec file. Later versions of Node.js do not have this
 * cost, and some do not let the class be replaced.
 */
class CurrentTest {
  #store;

  getStore() {
    return this.#store;
  }

  async run(store, callback) {
    const before = this.#store;
    this.#store = store;
    try {
      return await callback();
    } finally {
      this.#store = before;
    }
  }
}

module.exports = class NativeRuntime {
  unstable_shouldLoadAsEsm() {
    return true;
  }

  /** Imports a spec file; the query makes it run again where it runs for a second database. */
  async unstable_importModule(path) {
    // Decorators store the types of parameters by it.
    await import('reflect-metadata');
    await import(`${pathToFileURL(path).href}?run=${++files}`);
  }

  /** Loads the part of Jest that keeps the tests of a file, afresh for each file. */
  requireInternalModule(path) {
    delete require.cache[path];
    if (!isReplaceable) return require(path);
    asyncHooks.AsyncLocalStorage = CurrentTest;
    try {
      return require(path);
    } finally {
      asyncHooks.AsyncLocalStorage = AsyncLocalStorage;
    }
  }

  requireModule(path) {
    return require(path);
  }

  setGlobalsForRuntime() {}

  enterTestCode() {}

  leaveTestCode() {}

  getSourceMaps() {
    return undefined;
  }

  getAllCoverageInfoCopy() {
    return undefined;
  }

  teardown() {}
};
