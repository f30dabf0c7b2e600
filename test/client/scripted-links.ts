import { DEFAULT_LIMITS } from '#src/protocol/limits.js';
import type { CommandFrame, Outcome } from '#src/protocol/frames.js';
import type { Welcome } from '#src/protocol/welcome.js';

import type { OpenLink } from '../../client/index.js';

const WELCOME: Welcome = {
  protocol: 1,
  session: 's',
  user: { id: 'u', name: 'ann', kind: 'guest' },
  expiresAt: 0,
  me: { epoch: 'e', seq: 0 },
  heartbeat: { mode: 'transport', intervalMs: 0, timeoutMs: 0 },
  limits: DEFAULT_LIMITS,
  server: { name: 'scripted', version: '0' },
  features: [],
  resumed: { '@me': { complete: true, seq: 0 } },
};

/** Returns links without a server: `answer` answers each command, except `hello`. */
export function scriptedLinks(answer: (command: CommandFrame) => Outcome): OpenLink {
  return (listener) => {
    queueMicrotask(() => listener.opened());
    return {
      send: (command) => {
        const { id, cmd } = command;
        const outcome: Outcome = cmd === 'hello' ? { ok: true, data: WELCOME } : answer(command);
        if (id !== undefined) queueMicrotask(() => listener.frame({ re: id, ...outcome }));
      },
      close: () => queueMicrotask(() => listener.closed(1000, '')),
    };
  };
}
