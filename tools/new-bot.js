// Creates a bot from the template: `npm run bot:new -- my-bot`.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';

const TEMPLATE = new URL('bot-template/', import.meta.url);
const RESERVED_NAMES = [
  'all',
  'dice',
  'everyone',
  'help',
  'here',
  'me',
  'poll',
  'remind',
  'server',
  'system',
  'welcome',
];

/** Returns the problem of a name; undefined if the name is valid. */
function problemOf(name) {
  if (name === undefined) return 'The name of the bot is missing: npm run bot:new -- my-bot';
  if (!/^[a-z0-9][a-z0-9-]{0,31}$/.test(name)) {
    return `"${name}" is not a valid bot name: use 1 to 32 of a-z, 0-9 and "-".`;
  }
  return RESERVED_NAMES.includes(name)
    ? `The name ${name} is taken: choose another name.`
    : undefined;
}

/** Converts a name to a class name: `my-bot` to `MyBot`. */
function toClassName(name) {
  const words = name.split('-').filter((word) => word !== '');
  const joined = words.map((word) => word[0].toUpperCase() + word.slice(1)).join('');
  return /^\d/.test(joined) ? `Bot${joined}` : joined;
}

function createFolder(folder) {
  try {
    mkdirSync(join(folder, '..'), { recursive: true });
    mkdirSync(folder);
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    fail(`${relative('.', folder)} already exists: choose another name, or remove it.`);
  }
}

function fail(message) {
  console.error(message);
  process.exit(1);
}

const name = process.argv[2];
const problem = problemOf(name);
if (problem !== undefined) fail(problem);
const folder = join('bots', name);
createFolder(folder);
for (const file of readdirSync(TEMPLATE)) {
  const text = readFileSync(new URL(file, TEMPLATE), 'utf8');
  const filled = text.replaceAll('my-bot', name).replaceAll('MyBot', toClassName(name));
  writeFileSync(join(folder, file.replace('my-bot', name)), filled);
}
console.log(
  `Created ${folder}. Run its test: npm run build && node --test ${folder}/${name}.test.js`,
);
