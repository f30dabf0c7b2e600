import { read } from './sources.js';

/** A command of docs/protocol.md. */
export interface CommandExample {
  readonly cmd: string;
  readonly data: unknown;
}

/** A reply of docs/protocol.md, with the name of the command that it answers. */
export interface ReplyExample {
  readonly to: string;
  readonly ok: boolean;
  readonly data?: unknown;
  readonly error?: unknown;
}

/** An event of docs/protocol.md. */
export interface EventExample {
  readonly event: string;
  readonly data: unknown;
}

const docs = read('docs/protocol.md');

function blocks(before: string, kind: string): RegExpStringIterator<RegExpExecArray> {
  return docs.matchAll(new RegExp(`^${before}\`\`\`json ${kind}\\n([^]*?)^\`\`\``, 'gm'));
}

/** Gives every example of a command. */
export function commandExamples(): CommandExample[] {
  return [...blocks('', 'command')].map(([, json = '']) => JSON.parse(json) as CommandExample);
}

/** Gives every example of a reply. */
export function replyExamples(): ReplyExample[] {
  return [...blocks('<!-- reply to ([\\w.]+) -->\\n\\n', 'reply')].map(
    ([, to = '', json = '']) => ({
      to,
      ...(JSON.parse(json) as Omit<ReplyExample, 'to'>),
    }),
  );
}

/** Gives every example of an event. */
export function eventExamples(): EventExample[] {
  return [...blocks('', 'event')].map(([, json = '']) => JSON.parse(json) as EventExample);
}
