import { afterSpecFile } from './after-spec-file.js';

/** An environment of Jest that is the process itself; see runtime.cjs. */
export default class NativeEnvironment {
  global = globalThis;
  #before = { env: { ...process.env }, exit: process.exit, console: globalThis.console };

  constructor({ projectConfig }) {
    // The database of the servers that tests start; see freshDatabase.
    process.env.TEST_DATABASE = projectConfig.displayName.name;
  }

  async setup() {
    // Node.js maps the stacks to the sources; what Jest installed knows nothing of them.
    Error.prepareStackTrace = undefined;
    process.setSourceMapsEnabled(true);
  }

  async teardown() {
    const finish = [...afterSpecFile];
    afterSpecFile.clear();
    for (const each of finish) await each();
    const { env, exit, console } = this.#before;
    for (const name of Object.keys(process.env)) if (!(name in env)) delete process.env[name];
    Object.assign(process.env, env);
    process.exit = exit;
    globalThis.console = console;
  }

  getVmContext() {
    return null;
  }
}
