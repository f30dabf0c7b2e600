import { parseExample } from '../support/document.js';
import { read } from '../../tools/import-graph.js';

/** An example of a command in docs/protocol.md. */
export interface CommandExample {
  readonly cmd: string;
  readonly data: unknown;
}

/** An example of a reply in docs/protocol.md, with the name of the command that it answers. */
export interface ReplyExample {
  readonly to: string;
  readonly ok: boolean;
  readonly data?: unknown;
  readonly error?: unknown;
}

/** An example of an event in docs/protocol.md. */
export interface EventExample {
  readonly event: string;
  readonly data: unknown;
}

const docs = read('docs/protocol.md');

function blocks(before: string, kind: string): RegExpStringIterator<RegExpExecArray> {
  return docs.matchAll(new RegExp(`^${before}\`\`\`json ${kind}\\n([^]*?)^\`\`\``, 'gm'));
}

/** Returns every example of a command. */
export function commandExamples(): CommandExample[] {
  return [...blocks('', 'command')].map(([, json = '']) => parseExample(json) as CommandExample);
}

/** Returns every example of a reply. */
export function replyExamples(): ReplyExample[] {
  return [...blocks('<!-- reply to ([\\w.]+) -->\\n\\n', 'reply')].map(
    ([, to = '', json = '']) => ({
      to,
      ...(parseExample(json) as Omit<ReplyExample, 'to'>),
    }),
  );
}

/** Returns every example of an event. */
export function eventExamples(): EventExample[] {
  return [...blocks('', 'event')].map(([, json = '']) => parseExample(json) as EventExample);
}
