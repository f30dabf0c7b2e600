import type { z } from 'zod';

import { DEFAULT_LIMITS, type LimitName } from '../protocol/limits.js';
import { limitVariable, OPTIONS } from './options.js';

const HEAD = `# Settings of the server, with their defaults.
#
# Copy this file to \`.env\` in the folder where the server starts, and remove the "#" before the
# settings that you change. Environment variables take precedence over this file. An invalid or
# unknown setting prevents the start. \`npm run generate\` writes this file from src/config/options.ts.
`;

const LIMITS_HEAD = '# Limits. P-9.1 of docs/protocol.md describes each of them.\n';

/** Returns the text of `.env.example`: every setting with its default. */
export function envExample(): string {
  const limits = (Object.keys(DEFAULT_LIMITS) as LimitName[]).map(limitVariable);
  const general = Object.keys(OPTIONS).filter((name) => !limits.includes(name));
  const described = general.map((name) => `# ${getOption(name).description ?? ''}\n${line(name)}`);
  return [HEAD, ...described, LIMITS_HEAD + limits.map(line).join('')].join('\n');
}

function line(name: string): string {
  const given = getOption(name).safeParse(undefined);
  const isSet = given.success && given.data !== undefined;
  return `#${name}=${isSet ? String(given.data) : ''}\n`;
}

function getOption(name: string): z.ZodType {
  const option = (OPTIONS as Readonly<Record<string, z.ZodType>>)[name];
  if (option === undefined) throw new Error(`There is no option ${name}`);
  return option;
}
