// Runs a program that tools/pack-server.js has packed: node tools/run-packed.cjs PACK NAME ARGUMENT...
const { readFileSync, writeFileSync } = require('node:fs');
const { createRequire, wrap } = require('node:module');
const process = require('node:process');
const { Script } = require('node:vm');

const [, , pack, name] = process.argv;
const compiled = `${pack}.compiled`;

const script = new Script(wrap(readFileSync(pack, 'latin1')), {
  filename: pack,
  cachedData: readCompiled(),
});
const module_ = { exports: {} };
script
  .runInThisContext()
  .call(module_.exports, module_.exports, createRequire(pack), module_, pack);
if (process.env.KEEP_COMPILED !== undefined) {
  process.once('exit', () => writeFileSync(compiled, script.createCachedData()));
}
// The program sees the arguments that it would see by itself.
process.argv.splice(1, 3, pack);
module_.exports[name]();

function readCompiled() {
  try {
    return readFileSync(compiled);
  } catch {
    return undefined;
  }
}
