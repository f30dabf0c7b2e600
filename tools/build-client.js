// Builds the package of client/ into client/dist/: ES modules and types, without dependencies.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

import { format } from 'prettier';
import ts from 'typescript';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const CLIENT = join(ROOT, 'client');
const PROTOCOL = '#src/protocol/';
const SPECIFIER = /(?<=(?:from|import)\s*\(?\s*)'([.#][^']*)'/g;

/** Types of the protocol that the package contains, each after the types that it uses. */
const MODELS = {
  models: ['User', 'Position', 'Attachment', 'Message', 'Member', 'Room', 'RoomCut'],
  pages: ['Replay'],
  welcome: ['Resumed', 'Welcome'],
  errors: ['ErrorCode', 'WireError'],
  frames: ['CommandId', 'CommandFrame', 'Outcome', 'ReplyFrame', 'EventFrame'],
  commands: ['CommandName', 'CommandInput', 'ReplyData'],
  events: ['EventName', 'EventData', 'LogEventName', 'EphemeralEventName', 'BotEventName'],
};
/** Generic types, whose parameter selects a member of an interface. */
const DERIVED = `
export type CommandName = keyof Commands;
export type CommandInput<C extends CommandName> = Commands[C]['data'];
export type ReplyData<C extends CommandName> = Commands[C]['reply'];
export type EventName = keyof Events;
export type EventData<E extends EventName> = Events[E];
export type LogEvent = {
  [E in LogEventName]: { readonly event: E; readonly data: EventData<E> };
}[LogEventName];
`;
const GENERIC = ['CommandName', 'CommandInput', 'ReplyData', 'EventName', 'EventData'];

rmSync(join(CLIENT, 'dist'), { recursive: true, force: true });
const modules = findModules(join(CLIENT, 'index.ts'));
for (const path of modules) write(outputOf(path, '.js'), compile(path));
await writeTypes();

/** Returns a source file and everything that it imports at run time. */
function findModules(path, found = new Set()) {
  if (found.has(path)) return found;
  found.add(path);
  for (const [, specifier] of compile(path, false).matchAll(SPECIFIER)) {
    findModules(resolve(specifier, path), found);
  }
  return found;
}

/** Compiles one file; keeps only the comments that bundlers read. */
function compile(path, isRewritten = true) {
  const text = readFileSync(path, 'utf8');
  const removeComments = !text.includes('webpackIgnore');
  const target = ts.ScriptTarget.ES2022;
  const compilerOptions = { target, module: ts.ModuleKind.ESNext, removeComments };
  const { outputText } = ts.transpileModule(text, { compilerOptions });
  return isRewritten ? rewrite(outputText, path) : outputText;
}

/** Writes the declarations of the exports of index.ts, and the types of the protocol. */
async function writeTypes() {
  const config = ts.readConfigFile(join(ROOT, 'tsconfig.json'), ts.sys.readFile).config;
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, ROOT);
  const host = ts.createCompilerHost(options);
  const model = addFile(host, join(CLIENT, 'protocol-model.ts'), modelSource());
  const emitting = { ...options, noEmit: false, declaration: true, emitDeclarationOnly: true };
  const program = ts.createProgram([join(CLIENT, 'index.ts'), model], emitting, host);
  const declarations = new Map();
  program.emit(undefined, (_, text, __, ___, [source]) => {
    if (source.fileName !== model)
      declarations.set(source.fileName, rewriteTypes(text, source.fileName));
  });
  for (const path of findDeclared(join(CLIENT, 'index.ts'), declarations)) {
    write(outputOf(path, '.d.ts'), declarations.get(path));
  }
  const types = printTypes(program.getTypeChecker(), program.getSourceFile(model));
  write(
    join(CLIENT, 'dist/protocol.d.ts'),
    await format(types, { parser: 'typescript', singleQuote: true, printWidth: 100 }),
  );
}

/** Returns the files whose declarations are needed by those of a file. */
function findDeclared(path, declarations, found = new Set()) {
  if (found.has(path) || !declarations.has(path)) return found;
  found.add(path);
  for (const [, specifier] of declarations.get(path).matchAll(SPECIFIER)) {
    findDeclared(resolve(specifier, path), declarations, found);
  }
  return found;
}

/** Returns a module whose types are those of the protocol, resolved to their structure. */
function modelSource() {
  const imports = Object.entries(MODELS).map(
    ([file, names]) =>
      `import type { ${names.map((name) => `${name} as ${name}_`).join(', ')} } from '${PROTOCOL}${file}.js';`,
  );
  const plain = Object.values(MODELS)
    .flat()
    .filter((name) => !GENERIC.includes(name))
    .map((name) => `export type ${name} = Plain<${name}_>;`);
  return `${imports.join('\n')}
type Plain<T> = T extends object ? { [K in keyof T]: Plain<T[K]> } : T;
${plain.join('\n')}
export type Commands = {
  [C in CommandName_]: { data: Plain<CommandInput_<C>>; reply: Plain<ReplyData_<C>> };
};
export type Events = Plain<{ [E in EventName_]: EventData_<E> }>;
`;
}

/** Prints the types of the model; replaces the structure of a named type by its name. */
function printTypes(checker, source) {
  const { NoTruncation, InTypeAlias, UseSingleQuotesForStringLiteralType } = ts.TypeFormatFlags;
  const flags = NoTruncation | InTypeAlias | UseSingleQuotesForStringLiteralType;
  const known = [];
  const lines = [];
  for (const statement of source.statements) {
    if (!ts.isTypeAliasDeclaration(statement) || statement.typeParameters !== undefined) continue;
    const name = statement.name.text;
    let text = checker.typeToString(checker.getTypeAtLocation(statement.name), undefined, flags);
    for (const [structure, alias] of known) text = text.replaceAll(structure, alias);
    if (text.length > 'string | number'.length) known.push([text, name]);
    lines.push(`export type ${name} = ${text};`);
  }
  return `// The protocol as types; docs/protocol.md says what they mean.\n${lines.join('\n')}\n${DERIVED}`;
}

/** Adds a virtual file to the host of a compiler. */
function addFile(host, path, text) {
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (name) => name === path || fileExists.call(host, name);
  host.readFile = (name) => (name === path ? text : readFile.call(host, name));
  host.getSourceFile = (name, version, ...rest) =>
    name === path
      ? ts.createSourceFile(name, text, version)
      : getSourceFile.call(host, name, version, ...rest);
  return path;
}

function rewrite(text, path) {
  return text.replace(SPECIFIER, (_, specifier) => {
    const target = outputOf(resolve(specifier, path), '.js');
    return `'${relativeTo(target, outputOf(path, '.js'))}'`;
  });
}

/** All types of the protocol are in one file. */
function rewriteTypes(text, path) {
  const protocol = relativeTo(join(CLIENT, 'dist/protocol.js'), outputOf(path, '.js'));
  return text.replace(SPECIFIER, (whole, specifier) =>
    specifier.startsWith(PROTOCOL) ? `'${protocol}'` : whole,
  );
}

function resolve(specifier, importer) {
  const source = specifier.replace(/\.js$/, '.ts');
  if (specifier.startsWith('#src/')) return join(ROOT, source.slice(1));
  return join(dirname(importer), source);
}

function outputOf(path, extension) {
  const inPackage = relative(ROOT, path)
    .replace(/^client\//, '')
    .replace(/^src\//, '');
  return join(CLIENT, 'dist', inPackage.replace(/\.ts$/, extension));
}

function relativeTo(target, from) {
  const path = relative(dirname(from), target);
  return path.startsWith('.') ? path : `./${path}`;
}

function write(path, text) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
