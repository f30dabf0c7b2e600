import type { RoomBot } from './bot-host.js';

/** Gives the lines that tell what a bot is and which commands it takes. */
export function describeBot({ name, about, commands }: RoomBot): string {
  const lines = commands.map((command) => {
    const usage = `/${command.name}`;
    return command.help.startsWith(usage) ? command.help : `${usage}: ${command.help}`;
  });
  return [`@${name}: ${about}`, ...lines.map((line) => `  ${line}`)].join('\n');
}
