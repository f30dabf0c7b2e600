import type { Over } from '#src/harness/index.js';

/** Where the bots of a test run: the same holds everywhere. */
export const OVER: readonly Over[] = ['process', 'websocket', 'socket.io'];
