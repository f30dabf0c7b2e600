// Makes a bot of the template: `npm run bot:new -- my-bot`.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';

const TEMPLATE = new URL('bot-template/', import.meta.url);
const TAKEN = ['all', 'dice', 'everyone', 'help', 'here', 'me', 'poll', 'remind', 'server'];
TAKEN.push('system', 'welcome');

/** Tells what is wrong with a name; undefined if it is good. */
function problemOf(name) {
  if (name === undefined) return 'Say how the bot is named: npm run bot:new -- my-bot';
  if (!/^[a-z0-9][a-z0-9-]{0,31}$/.test(name)) {
    return `"${name}" cannot be the name of a bot: take 1 to 32 of a-z, 0-9 and "-".`;
  }
  return TAKEN.includes(name) ? `The name ${name} is taken: choose another one.` : undefined;
}

/** `my-bot` is `MyBot` in code. */
function toClassName(name) {
  const words = name.split('-').filter((word) => word !== '');
  const joined = words.map((word) => word[0].toUpperCase() + word.slice(1)).join('');
  return /^\d/.test(joined) ? `Bot${joined}` : joined;
}

function makeFolder(folder) {
  try {
    mkdirSync(join(folder, '..'), { recursive: true });
    mkdirSync(folder);
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    fail(`${relative('.', folder)} exists already: choose another name, or remove it.`);
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
makeFolder(folder);
for (const file of readdirSync(TEMPLATE)) {
  const text = readFileSync(new URL(file, TEMPLATE), 'utf8');
  const filled = text.replaceAll('my-bot', name).replaceAll('MyBot', toClassName(name));
  writeFileSync(join(folder, file.replace('my-bot', name)), filled);
}
console.log(`${folder} is made. Try it: npm run build && node --test ${folder}/${name}.test.js`);
